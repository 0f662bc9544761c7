"""A client of another make: Python on the C core of gRPC, with nothing but the .proto file. Takes JSON, leaves before.bin and after.bin in
the folder that has gradient.bin, and prints what else it found as JSON."""
import json
import subprocess
import sys
import tempfile

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

given = json.load(sys.stdin)
pool = descriptor_pool.DescriptorPool()
with tempfile.NamedTemporaryFile() as compiled:
    subprocess.run(["protoc", "-I", given["protoFolder"], "-o", compiled.name, given["proto"]], check=True)
    files = descriptor_pb2.FileDescriptorSet()
    files.ParseFromString(compiled.read())
for file in files.file:
    pool.Add(file)


def message(name):
    descriptor = pool.FindMessageTypeByName("tributary.v1." + name)
    if hasattr(message_factory, "GetMessageClass"):
        return message_factory.GetMessageClass(descriptor)
    return message_factory.MessageFactory(pool).GetPrototype(descriptor)


service = "/tributary.v1.ParameterServer/"
channel = grpc.insecure_channel(given["address"], options=[("grpc.max_receive_message_length", 16 << 20)])
target = given["target"]


def pull(step):
    call = channel.unary_stream(
        service + "Pull",
        request_serializer=message("PullRequest").SerializeToString,
        response_deserializer=message("PullMessage").FromString,
    )(message("PullRequest")(target=target, step=step, wait_ms=1000), timeout=60)
    header, values = None, bytearray()
    for part in call:
        if part.HasField("header"):
            header = part.header
            values = bytearray(header.length * 4)
        else:
            at = part.chunk.offset * 4
            values[at : at + len(part.chunk.data)] = part.chunk.data
    return header, values


def push(step, gradient):
    def messages():
        header = dict(target=target, rank_begin=0, rank_end=1, step=step, tokens=[1], weight=2, loss=1)
        yield message("PushMessage")(header=header)
        # Pieces that are no chunks of ours.
        for at in range(0, len(gradient), 700_004):
            piece = bytes(gradient[at : at + 700_004])
            yield message("PushMessage")(chunk=dict(offset=at // 4, data=piece))

    call = channel.stream_unary(
        service + "Push",
        request_serializer=message("PushMessage").SerializeToString,
        response_deserializer=message("PushReply").FromString,
    )
    return call(messages(), timeout=60, metadata=(("x-trace-bin", b"\x00\xff"),))


def refusal(method, request, **options):
    try:
        channel.unary_unary(service + method, lambda value: value, lambda value: value)(request, **options)
    except grpc.RpcError as error:
        return [error.code().name, error.details()]


header, before = pull(0)
with open(given["folder"] + "/gradient.bin", "rb") as file:
    reply = push(0, file.read())
after_header, after = pull(1)
for name, values in [("before", before), ("after", after)]:
    with open(f"{given['folder']}/{name}.bin", "wb") as file:
        file.write(values)
describe = channel.unary_unary(
    service + "Describe",
    request_serializer=message("DescribeRequest").SerializeToString,
    response_deserializer=message("DescribeReply").FromString,
)(message("DescribeRequest")(job_hash=target["job_hash"]), timeout=10)
print(
    json.dumps(
        {
            "outcome": reply.outcome,
            "versions": [header.version, after_header.version],
            "clocks": list(describe.shards[0].clocks),
            "unknown": refusal("Nothing", b"", timeout=10),
            "malformed": refusal("Pull", b"\xff\xff", timeout=10),
            "compressed": refusal("Pull", b"\x00" * 500, timeout=10, compression=grpc.Compression.Gzip),
        }
    )
)
