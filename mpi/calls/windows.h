#ifndef ROAM_MPI_CALLS_WINDOWS_H_
#define ROAM_MPI_CALLS_WINDOWS_H_

#include <mpi.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>

#include "mpi/calls/handle_table.h"
#include "mpi/calls/window.h"
#include "runtime/teams/parcel.h"

namespace roam::mpi {

// The windows of a virtual rank. What others do with them is done by messages, which are acted upon
// where the virtual rank is, between turns of threads: so whatever its thread waits for or computes
// on another turn, it need not call MPI; each message is one step that nothing comes between; and
// the memory is where the message is served, wherever it has moved.
class Windows final : public detail::MessageServer {
 public:
  explicit Windows(int number) : number_(number) {}
  ~Windows();
  Windows(const Windows&) = delete;
  Windows& operator=(const Windows&) = delete;

  // CallError(MPI_ERR_WIN): it is none, or was freed.
  Window& window(MPI_Win handle);
  Window* find(MPI_Win handle) const { return table_.find(handle); }
  template <class Visit>
  void for_each(Visit visit) {
    table_.for_each(visit);
  }
  MPI_Win add(std::unique_ptr<Window> made);
  void remove(MPI_Win handle);

  // A message to a member, which may be this one: then it is acted upon at once.
  // Context: its thread, or while it serves. Errors: Error(out_of_memory).
  void send(Window& w, int to, const WindowMessage& head, const void* data = nullptr,
            std::size_t bytes = 0);
  // The same, of a message that is whole.
  void send_whole(Window& w, int to, const char* message, std::size_t bytes);

  bool serve(detail::Member& me, const detail::Envelope& envelope, const char* data) override;

 private:
  bool act(Window& w, int from, const char* message, std::size_t bytes);
  // What concerns the memory.
  void access(Window& w, int from, const WindowMessage& head, const char* data);
  void lock(Window& w, int from, bool exclusive);
  void unlock(Window& w, int from, bool exclusive);
  void grant(Window& w);

  int number_;
  detail::Member* member_ = nullptr;
  HandleTable<Window, Kind::kWindow> table_;
  std::map<std::uint64_t, Window*> by_number_;
};

}  // namespace roam::mpi

#endif  // ROAM_MPI_CALLS_WINDOWS_H_
