#include "mpi/calls/schedule.h"

#include <utility>

#include "base/text.h"
#include "mpi/calls/call_error.h"
#include "runtime/api/member_messages.h"

namespace roam::mpi {

Schedule::~Schedule() {
  if (!started_ || at_ == rounds_.size()) return;
  for (Message& m : rounds_[at_]->messages) {
    if (!m.begun || m.wire.done) continue;
    if (!m.sends && runtime::cancel_receive(&m.wire)) continue;
    while (!m.wire.done) runtime::wait_for_news("a message of a collective that failed");
  }
}

char* Schedule::scratch(std::size_t bytes) {
  scratch_.push_back(std::unique_ptr<char[]>(new char[bytes]));
  return scratch_.back().get();
}

Schedule::Round& Schedule::making() {
  if (!open_) rounds_.push_back(std::make_unique<Round>());
  open_ = true;
  return *rounds_.back();
}

void Schedule::send(int world, const void* data, std::size_t bytes) {
  making().messages.push_back({true, world, const_cast<void*>(data), bytes, {}, false});
}
void Schedule::receive(int world, void* data, std::size_t bytes) {
  making().messages.push_back({false, world, data, bytes, {}, false});
}
void Schedule::receive_up_to(int world, void* data, std::size_t bytes) {
  receive(world, data, bytes);
  making().messages.back().may_be_shorter = true;
}
std::size_t Schedule::came(const void* data, std::size_t bytes) const {
  for (const auto& [to, count] : shorter_) {
    if (to == data) return count;
  }
  return bytes;
}
void Schedule::then(std::function<void()> work) { making().work.push_back(std::move(work)); }
void Schedule::end_round() { open_ = false; }

// Receives first: what comes at once need not lie in the mailbox.
void Schedule::start(Round& round) {
  for (Message& m : round.messages) {
    if (m.sends) continue;
    runtime::start_receive(&m.wire, context_, m.world, tag_, m.data, m.bytes);
    m.begun = true;
  }
  for (Message& m : round.messages) {
    if (!m.sends) continue;
    runtime::start_send(
        &m.wire,
        {.context = context_, .to = m.world, .tag = tag_, .data = m.data, .bytes = m.bytes});
    m.begun = true;
  }
}

void Schedule::check(const Message& m) {
  if (m.sends || (m.wire.error == Errc{} && m.wire.bytes == m.bytes)) return;
  if (m.wire.error == Errc{} && m.may_be_shorter && m.wire.bytes < m.bytes)
    return note_shorter(m.data, m.wire.bytes);
  throw CallError(MPI_ERR_TRUNCATE,
                  text("virtual rank %d sent %zu bytes where %zu were expected: all members "
                       "of a collective call it with as many elements",
                       m.world, m.wire.bytes, m.bytes));
}

void Schedule::begin_again() {
  at_ = 0;
  started_ = ended_ = false;
  shorter_.clear();
  for (const std::unique_ptr<Round>& round : rounds_) {
    round->done = 0;
    for (Message& m : round->messages) {
      m.wire = {};
      m.begun = false;
    }
  }
  for (const std::function<void()>& work : at_begin_) work();
}

bool Schedule::advance() {
  for (; at_ < rounds_.size(); ++at_, started_ = false) {
    Round& round = *rounds_[at_];
    if (!std::exchange(started_, true)) start(round);
    for (; round.done < round.messages.size(); ++round.done) {
      if (!round.messages[round.done].wire.done) return false;
      check(round.messages[round.done]);
    }
    for (const std::function<void()>& work : round.work) work();
  }
  // Asked again, it is done.
  if (!repeats_) {
    for (const std::function<void()>& work : std::exchange(at_end_, {})) work();
  } else if (!std::exchange(ended_, true)) {
    for (const std::function<void()>& work : at_end_) work();
  }
  return true;
}

}  // namespace roam::mpi
