/** Every bound of the system, each with its reason. Units come last in the names. */
export const limits = {
  /** Payload of one gRPC message of a push or pull: large enough that framing is free, small enough to interleave. */
  chunkBytes: 1 << 20,
  /** What either side accepts as one message: a chunk, its header, and room for metadata of very many tensors. */
  messageBytesMax: 16 << 20,
  /** HTTP/2 flow control: what may be under way on one connection without an acknowledgement. 8 MiB fill 10 Gbit/s at a round trip of 6 ms. */
  windowBytes: 8 << 20,
  /** The same for all streams of a connection: one that nobody reads must not stop the others. It bounds what a peer can leave unread in our memory. */
  connectionWindowBytes: 32 << 20,
  /** The largest frame that the fast path accepts: a chunk with its head is one frame, and one read call can fill it. */
  http2FrameBytesMax: (1 << 20) + (1 << 14),
  /** Streams at once on one connection: a worker has a few for each shard; a controller asks for all shards at once. */
  http2StreamsMax: 1024,
  /** Streams that a client begins before it knows how many the server allows: the least that the protocol recommends to allow. */
  http2StreamsBeforeGreeting: 100,
  /** A header block as it travels, and what it may unfold to; gRPC's own recommendation is 8 KiB. */
  http2HeaderBlockBytesMax: 64 << 10,
  http2HeaderListBytesMax: 64 << 10,
  /** Of an answer that is handed on from grpc-js, what may wait for its reader: enough to keep both sides busy. */
  relayBytesMax: 1 << 20,
  /** Characters of an error message that travel: far below what a peer accepts as headers. */
  statusMessageMax: 4096,
  /** Answers on a stream of pushes and pulls that its client has not read: it has a few requests under way, for each shard. */
  exchangeUnreadMax: 1024,
  /** Settings in one frame; the protocol has about ten. */
  http2SettingsMax: 32,
  /** Given to a socket before it must have taken some: enough to keep it busy until we look again, little enough that streams take turns. */
  http2BacklogBytes: 4 << 20,
  /** Answers (to PING, SETTINGS) that a peer asked for and does not read: some thousands. */
  http2UnreadRepliesBytesMax: 64 << 10,
  /** Frames that bring nobody forward (resets, empty ones, priorities), at once and in the long run: a client that gives up all its calls is far below. */
  http2IdleFramesBurst: 2048,
  http2IdleFramesPerSecond: 100,
  /** A connection that does not say what it is. */
  http2GreetingMs: 10_000,
  /** After our last word a peer gets this long to read it. */
  http2LingerMs: 1_000,
  /** What one read from a socket fills at most, but for chunks, which are read to their place. One buffer serves a process. */
  socketReadBytes: 64 << 10,
  /** So much of a chunk is read straight to its place; for less, one read of whatever comes next is the cheaper. */
  placedReadBytesMin: 64 << 10,
  /** Chunks of one call that the fast path has queued: as much as a socket may have unsent. */
  chunksUnderWay: 4,
  /** Shorter chunks are copied: to keep hold of the caller's memory would cost more than the copy. */
  copiedChunkBytes: 64 << 10,
  /** Smaller pieces than this are put together before they are written: a piece costs a microsecond or two. */
  joinedBytes: 4 << 10,
  /** A peer that vanished without a word (power, cable) is noticed after these two together; a busy event loop must fit into the second. */
  keepaliveMs: 20_000,
  keepaliveTimeoutMs: 10_000,
  /** Metadata calls (describe, health) on a loopback or LAN: seconds mean the process is gone. */
  callDeadlineMs: 10_000,
  /** A push moves one shard's gradient; it never waits for other ranks. */
  pushDeadlineMs: 60_000,
  /** A pull may wait for a barrier; the server answers `waiting` well before the client's deadline and the client asks again. */
  pullWaitMs: 10_000,
  pullDeadlineMs: 60_000,
  /** A server that stops lets the calls under way end for this long: the chunks of a shard on a slow network. */
  serverDrainMs: 3_000,
  /** The longest that a caller may ask a server to wait with its answer. */
  waitMsMax: 60_000,
  /** Pulls that wait on one shard: each rank once, and once more for a worker that was replaced. More is a runaway client. */
  pullsWaitingMax: 8192,
  /**
   * How long an aggregator holds the gradients of a step for workers that were there the step before: at least, at most, and as so many times what that took last.
   * Too short costs a push more, too long a pause when a worker has left.
   */
  gatherMs: 1_000,
  gatherMsMax: 10_000,
  gatherPatience: 4,
  /** A call by way of an aggregator: it waits for the workers of the host, and then for the server. */
  aggregatorDeadlineMs: 30_000,
  /** So long a worker leaves an aggregator alone that did not answer. */
  aggregatorAwayMs: 2_000,
  /** Sums over the ranks that a shard keeps for one step: 250 vectors of a million elements. Beyond it a server would rather refuse than swap. */
  reduceBytesMax: 2 ** 30,
  /** Between two tries of a call that may be repeated. Doubled each time, with full jitter. */
  retryBackoffMs: 50,
  retryBackoffMsMax: 2_000,
  /** How long a worker goes on trying to reach a server before it gives up: longer than a restart takes. */
  retryTotalMs: 120_000,
  /** A worker tells of failures that last so long: while servers load their shards there are some, and they are nobody's concern. */
  retryToldMs: 3_000,
  /** Default lease of a member and of a rank: a few missed heartbeats, yet a killed worker's ranks move within seconds. */
  leaseMs: 5_000,
  /** Heartbeats per lease: two may be lost before the lease ends. */
  heartbeatsPerLease: 3,
  /** How often a process reads the placement, and the controller the membership. */
  placementPollMs: 100,
  /** What a controller cannot reach is worth a line after this; a server that loads its shards takes less. */
  troubleMs: 3_000,
  /** After Ctrl-C the ranks get this long to reach the end step together; then the last checkpoint has to do. */
  stopGraceMs: 15_000,
  /** The first connection to the coordinator, with name lookup and TLS; longer means that nothing is there. */
  coordinatorConnectMs: 5_000,
  /** A small command on a LAN takes a millisecond. Well below leaseMs, so that a hung coordinator is told from a slow one before leases run out. */
  coordinatorReplyMs: 2_000,
  /** One checkpoint chunk to or from the coordinator: 4 MiB at some 4 Mbit/s. */
  coordinatorChunkMs: 10_000,
  /** Longest pause between two tries to reach the coordinator again: back within a heartbeat after it returned. */
  coordinatorReconnectMsMax: 500,
  /** Processes wait for each other's writes to one SQLite file. Writing a chunk takes tens of ms; many may queue on a slow disk. */
  sqliteBusyMs: 5_000,
  /** What SQLite keeps of its write-ahead log between checkpoints of it: a few chunks. */
  sqliteLogBytes: 64 << 20,
  /** A child process that is asked to leave is killed after this. */
  leaveMs: 5_000,
  /** How often the launcher starts one dead process anew, and how long it waits before: a crash at every start must end the run. */
  restartsMax: 3,
  restartDelayMs: 500,
  /** After a child's exit its last line of output may still be under way. */
  drainMs: 100,
  /** Metrics are written in batches, at most this often. */
  metricsFlushMs: 200,
  /** How often a process says what it has used: often enough for a curve, seldom enough to cost nothing. */
  usageEveryMs: 200,
  /** A trace is written this often, or whenever so many lines have come: a process that is killed loses little, and memory stays small. */
  traceFlushMs: 500,
  traceLinesMax: 1_000,
  /** Spans in the trace of one process: some 70 MB, about what the viewers open. */
  traceSpansMax: 500_000,
  /** Entries in one write: tens of kilobytes, so that a long backlog never holds up the coordinator. */
  metricsBatchMax: 1_000,
  /** Entries that one read of the metrics stream asks for: some hundred kilobytes. */
  metricsReadMax: 5_000,
  /** Metrics kept in memory while the coordinator is away; the oldest go first and are counted. */
  metricsQueueMax: 100_000,
  /** Entries of the metrics stream that a coordinator keeps for one job. */
  metricsKeptMax: 1_000_000,
  /** One value in Redis or one row in SQLite of a checkpoint. */
  checkpointChunkBytes: 4 << 20,
  /** Checkpoints of which a server remembers what it wrote. The controller asks for each in turn; more than a few behind, it is lost anyway. */
  checkpointPartsKept: 16,
  /** Chunks of so many checkpoints to come are not taken for leftovers: servers may be that far ahead of the controller. */
  checkpointsComing: 100,
  /** Checkpoints kept by default: the newest, and one to fall back on should it be corrupt, and one more. */
  checkpointsKept: 3,
  /** Programs kept compiled, one per batch shape and purpose: a training batch, an evaluation batch and its short rest, and some to spare. */
  compiledProgramsMax: 12,
  /** Room for metadata in the header of a checkpoint: names and hashes, no job specification. */
  checkpointMetadataBytes: 4096,
  /** Longest safetensors header that is read: what the format's own library accepts. */
  headerBytesMax: 100_000_000,
  /** Neighbouring examples are read from a file together up to this size: large enough that the call is free. */
  dataReadBytes: 1 << 20,
  /** What lies between two examples is read along with them up to this size: another call costs more. */
  dataGapBytes: 4 << 10,
  /** Places in a text file whose rows are counted: 2 MiB, whatever the file's size; above that many rows only every second, fourth... is kept. */
  dataIndexEntriesMax: 1 << 18,
  /** A longer row of a text file means a quote that was not closed. */
  dataRowBytesMax: 16 << 20,
  /** Gradients of one worker on their way at once, if they are more than two: small ones, whose time is that of the wire and not of their bytes. */
  gradientsUnderWayBytes: 32 << 20,
  /** What a worker reads of minibatches before it needs them: those of eight ranks, unless they are of images by the thousand. */
  readAheadBytes: 64 << 20,
  /** Examples whose labels and ids are looked at before training: of a text file, ten seconds or so. What is beyond is refused by the step that meets it. */
  checkedExamplesMax: 1 << 20,
  ranksMax: 4096,
  shardsMax: 1024,
  /** A rank number, a step or an element index must be exact in a float64 and in a protobuf fixed/uint field. */
  elementsMax: 2 ** 32 - 1,
  tensorsMax: 100_000,
  /** Parameters of a model whose whole Hessian is formed: its factorisation takes 23 GFlop then, half a minute in plain code. */
  hessianParametersMax: 4096,
  /** Points of one search: each trains a model. More is a slip of the finger, or a week. */
  trialsMax: 1000,
  /** Qubits of one simulated state: 2^24 amplitudes are 256 MiB, and an index and its mask stay inside 32-bit integers. */
  qubitsMax: 24,
  /** Qubits of one annealing: the couplings of 2048 are 32 MiB, and a sweep over their copies takes tens of milliseconds. */
  annealingQubitsMax: 2048,
} as const;
