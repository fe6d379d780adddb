#ifndef ROAM_RUNTIME_NET_MPI_H_
#define ROAM_RUNTIME_NET_MPI_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

namespace roam::runtime {

// All that the runtime asks of MPI; this folder is the only user of <mpi.h>. One kernel thread a
// rank calls it (MPI_THREAD_FUNNELED). Every call is checked: MPI's own error handler ends the job.
// Call with the capture off.
class Mpi {
 public:
  // Starts MPI unless it is started. Errors: Error(not_running) if it has ended already.
  void start(int* argc, char*** argv);
  // Ends MPI if start() started it.
  void finish();
  // Ends the job. Before start() and after finish(): ends the process.
  [[noreturn]] static void abort(int status);
  static bool aborts();  // the job's end is under way

  int rank() const { return rank_; }
  int ranks() const { return ranks_; }
  // Ranks on this machine, however it is cut into nodes.
  int host_ranks() const { return host_ranks_; }

  // ---- collective, at start and end ----

  // Cuts the ranks that share memory into nodes of `node_ranks` (0: all of them), and of `most` at
  // most. Errors: Error(bad_option).
  void cut_nodes(int node_ranks, int most);
  int node_rank() const { return node_rank_; }
  int node_ranks() const { return node_ranks_; }
  // Makes of `words` of this rank the union of the bits of all ranks on this machine. The rank that
  // speaks for them gets true.
  bool host_union(std::vector<std::uint64_t>* words);
  void node_broadcast(void* data, std::size_t bytes);  // from node_rank 0
  void broadcast(void* data, std::size_t bytes);       // from rank 0
  std::vector<int> gather_ints(int value);             // one a rank, on every rank
  std::uint64_t min(std::uint64_t value);
  std::uint64_t sum(std::uint64_t value);
  bool alike(std::uint64_t value);  // whether all ranks have the same
  std::string broadcast_text(const std::string& s, int from);
  // What the lowest rank says of those that do not say nothing; empty: all do.
  std::string first_said(const std::string& s);
  void barrier();

  // ---- between two ranks, each waiting for the other; at start and end ----

  void send_now(int to, const void* data, std::size_t bytes);  // fewer than INT_MAX
  void receive_now(int from, std::vector<char>* data);

  // ---- messages ----

  // Longest message. All messages between two ranks stay in order.
  void open_channel(std::size_t most_bytes);
  void close_channel();
  bool channel_open() const;  // before and after, nobody is heard
  std::size_t most_bytes() const { return most_bytes_; }
  // Room for a message of `bytes`; send it with send(). At most one is being filled.
  char* compose(std::size_t bytes);
  void send(int to);
  // Asks MPI once; true: a message waits for receive(), which need not ask then.
  bool look();
  bool message_waits() const { return waits_; }
  // A message that has come, valid until release(); null if there is none. Who reads one may
  // receive and release others before.
  const char* receive(int* from, std::size_t* bytes);
  void release();
  // Looks after sends under way.
  void progress_sends();
  bool sends_pending() const { return !sending_.empty(); }
  // So many of those that were sent have left, oldest first, as progress_sends() has seen it.
  std::uint64_t sends_done() const { return sent_ - sending_.size(); }
  std::size_t send_buffers() const;  // as many as were under way at once lately, and some
  std::uint64_t sent() const { return sent_; }  // messages, since open_channel
  std::uint64_t received() const { return received_; }
  // The last that was sent, the one just received, can neither wake a thread nor make one, nor lead
  // to one that does: who looks for the end of the job leaves it out.
  void sent_apart() { ++sent_apart_; }
  void received_apart() { ++received_apart_; }
  std::uint64_t sent_for_threads() const { return sent_ - sent_apart_; }
  std::uint64_t received_for_threads() const { return received_ - received_apart_; }

  // ---- bulk data, straight from and into its place ----

  // A transfer of any size, in pieces that an int can count. `tag` pairs the two sides, on one of
  // two channels.
  enum class Channel { kImages, kLetters };
  class Bulk;
  std::unique_ptr<Bulk> start_bulk(Channel channel = Channel::kImages);

  // ---- a sum over all ranks that does not block ----

  static constexpr int kWaveCounts = 8;
  void start_wave(const std::uint64_t (&counts)[kWaveCounts]);
  bool wave_done(std::uint64_t (&sums)[kWaveCounts]);
  bool wave_started() const { return wave_started_; }

 private:
  void repost();
  void drop_spare_sends();

  struct State;
  friend class Bulk;
  int rank_ = 0, ranks_ = 1, node_rank_ = 0, node_ranks_ = 1, host_ranks_ = 1;
  bool ours_ = false;
  bool wave_started_ = false;
  bool waits_ = false;
  std::size_t most_bytes_ = 0;
  std::uint64_t sent_ = 0, received_ = 0, sent_apart_ = 0, received_apart_ = 0;
  std::deque<std::size_t> sending_;  // indices of buffers, oldest first
  State* state_ = nullptr;
};

class Mpi::Bulk {
 public:
  Bulk(Mpi& mpi, Channel channel);
  ~Bulk();
  Bulk(const Bulk&) = delete;
  Bulk& operator=(const Bulk&) = delete;

  void send(int to, int tag, const void* data, std::size_t bytes);
  void receive(int from, int tag, void* data, std::size_t bytes);
  bool done();

 private:
  struct Requests;
  Mpi& mpi_;
  Channel channel_;
  std::unique_ptr<Requests> requests_;
};

}  // namespace roam::runtime

#endif  // ROAM_RUNTIME_NET_MPI_H_
