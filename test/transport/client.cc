// A client of another make: C++ on the C core of gRPC, from nothing but the .proto file. Beside the Python one it sends through another path of that
// library (generated stubs, write coalescing). Arguments: address, hash of the job, folder with gradient.bin. Leaves before.bin and after.bin there and
// prints what else it found as JSON.
#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>

// One unit to compile: the headers of gRPC cost more than all the rest.
#include "tributary/v1/parameter_server.grpc.pb.cc"
#include "tributary/v1/parameter_server.pb.cc"

using namespace tributary::v1;

namespace {

std::unique_ptr<ParameterServer::Stub> stub;
std::string hash;

void fill(Target* target) {
  target->set_job_hash(hash);
  target->set_generation(1);
}

void deadline(grpc::ClientContext& context) {
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(60));
}

void check(const grpc::Status& status, const char* call) {
  if (status.ok()) return;
  std::cerr << call << ": " << status.error_code() << " " << status.error_message() << "\n";
  std::exit(1);
}

PullHeader pull(uint32_t step, const std::string& path) {
  grpc::ClientContext context;
  deadline(context);
  PullRequest request;
  fill(request.mutable_target());
  request.set_step(step);
  request.set_wait_ms(1000);
  auto call = stub->Pull(&context, request);
  PullHeader header;
  std::string values;
  for (PullMessage part; call->Read(&part);) {
    if (part.has_header()) {
      header = part.header();
      values.resize(size_t{header.length()} * 4);
    } else {
      std::copy(part.chunk().data().begin(), part.chunk().data().end(), values.begin() + size_t{part.chunk().offset()} * 4);
    }
  }
  check(call->Finish(), "Pull");
  std::ofstream(path, std::ios::binary) << values;
  return header;
}

PushReply push(uint32_t step, const std::string& gradient) {
  grpc::ClientContext context;
  deadline(context);
  PushReply reply;
  auto call = stub->Push(&context, &reply);
  PushMessage message;
  auto* header = message.mutable_header();
  fill(header->mutable_target());
  header->set_rank_end(1);
  header->set_step(step);
  header->add_tokens(1);
  header->set_weight(2);
  header->set_loss(1);
  // The header leaves with the first chunk, not before it.
  call->Write(message, grpc::WriteOptions().set_corked());
  // Pieces that are no chunks of ours.
  constexpr size_t pieceBytes = 700'004;
  for (size_t at = 0; at < gradient.size(); at += pieceBytes) {
    auto* chunk = message.mutable_chunk();
    chunk->set_offset(static_cast<uint32_t>(at / 4));
    chunk->set_data(gradient.substr(at, pieceBytes));
    if (!call->Write(message)) break;
  }
  call->WritesDone();
  check(call->Finish(), "Push");
  return reply;
}

/** What a pull for another job is refused with. */
grpc::Status refused() {
  grpc::ClientContext context;
  deadline(context);
  PullRequest request;
  fill(request.mutable_target());
  request.mutable_target()->set_job_hash(std::string(64, '0'));
  auto call = stub->Pull(&context, request);
  PullMessage part;
  while (call->Read(&part)) {
  }
  return call->Finish();
}

}  // namespace

int main(int, char** argv) {
  const std::string folder = argv[3];
  hash = argv[2];
  grpc::ChannelArguments options;
  options.SetMaxReceiveMessageSize(16 << 20);
  stub = ParameterServer::NewStub(grpc::CreateCustomChannel(argv[1], grpc::InsecureChannelCredentials(), options));
  std::ifstream file(folder + "/gradient.bin", std::ios::binary);
  const std::string gradient{std::istreambuf_iterator<char>(file), {}};

  const auto before = pull(0, folder + "/before.bin");
  const auto reply = push(0, gradient);
  const auto after = pull(1, folder + "/after.bin");
  DescribeReply description;
  {
    grpc::ClientContext context;
    deadline(context);
    DescribeRequest request;
    request.set_job_hash(hash);
    check(stub->Describe(&context, request, &description), "Describe");
  }
  const auto refusal = refused();
  std::cout << "{\"outcome\":" << reply.outcome() << ",\"versions\":[" << before.version() << "," << after.version() << "],\"clocks\":["
            << description.shards(0).clocks(0) << "],\"otherJob\":[" << refusal.error_code() << ",\"" << refusal.error_message()
            << "\"]}\n";
}
