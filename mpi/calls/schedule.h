#ifndef ROAM_MPI_CALLS_SCHEDULE_H_
#define ROAM_MPI_CALLS_SCHEDULE_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "runtime/teams/parcel.h"

namespace roam::mpi {

// What one member does for one collective: rounds of messages that are under way together, and what
// is computed when those of a round have come. Whoever waits for anything advances it.
//
//   round: sends and receives -> all done -> then(), in the order in which they were added -> next
//
// It stays where it is while it is under way. That of a persistent collective is made once, and
// begins again at each start.
class Schedule {
 public:
  // Messages have `context` and `tag`.
  Schedule(std::uint64_t context, int tag, bool repeats = false)
      : context_(context), tag_(tag), repeats_(repeats) {}
  // Takes back what it waits for, and waits for what it sends.
  ~Schedule();
  Schedule(const Schedule&) = delete;
  Schedule& operator=(const Schedule&) = delete;

  // Though its making is refused (make_schedule).
  void keep_number() { keeps_number_ = true; }
  bool keeps_number() const { return keeps_number_; }

  // Memory that lives as long as the schedule.
  char* scratch(std::size_t bytes);

  // Now; of one that repeats, whenever it begins.
  template <class Work>
  void at_begin(Work work) {
    if (!repeats_) return work();
    at_begin_.push_back(std::move(work));
  }
  // In the round that is being made. Virtual ranks are given by their numbers in MPI_COMM_WORLD.
  void send(int world, const void* data, std::size_t bytes);
  void receive(int world, void* data, std::size_t bytes);
  // Less may come, where it goes nowhere from here.
  void receive_up_to(int world, void* data, std::size_t bytes);
  // So much of `bytes` has come to `data`; and that it has, from nobody else.
  std::size_t came(const void* data, std::size_t bytes) const;
  void note_shorter(const void* data, std::size_t bytes) { shorter_.emplace_back(data, bytes); }
  void then(std::function<void()> work);
  // What follows is in the next round.
  void end_round();
  // When all rounds are done.
  void at_end(std::function<void()> work) { at_end_.push_back(std::move(work)); }

  // Of one that repeats: from its first round on. REQUIRES: nothing of it is under way.
  void begin_again();
  // True: all is done. Errors: CallError(MPI_ERR_TRUNCATE): members disagree about a length.
  bool advance();

 private:
  struct Message {
    bool sends;
    int world;
    void* data;
    std::size_t bytes;
    detail::RequestState wire;
    bool begun = false;
    bool may_be_shorter = false;
  };
  struct Round {
    std::vector<Message> messages;
    std::vector<std::function<void()>> work;
    std::size_t done = 0;  // of the messages, the first so many
  };
  Round& making();
  void start(Round& round);
  void check(const Message& message);

  std::uint64_t context_;
  int tag_;
  bool repeats_, keeps_number_ = false;
  std::vector<std::unique_ptr<Round>> rounds_;
  bool open_ = false;     // the last one is being made
  bool started_ = false;  // the one that is under way
  bool ended_ = false;    // of one that repeats: what is to be done at its end is done
  std::size_t at_ = 0;
  std::vector<std::function<void()>> at_begin_, at_end_;
  std::vector<std::unique_ptr<char[]>> scratch_;
  std::vector<std::pair<const void*, std::size_t>> shorter_;
};

}  // namespace roam::mpi

#endif  // ROAM_MPI_CALLS_SCHEDULE_H_
