#include "mpi/calls/virtual_rank.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/text.h"
#include "mpi/calls/ending.h"
#include "mpi/calls/file.h"
#include "mpi/calls/messages.h"
#include "mpi/image/image.h"
#include "roam/error.h"
#include "roam/thread.h"
#include "runtime/api/member_messages.h"
#include "threads/scheduler.h"

namespace roam::mpi {
VirtualRank::VirtualRank(int number, int count, std::int64_t begin_ns)
    : windows(number),
      predefined{.most_tag = kMostTag, .universe_size = count},
      number_(number),
      count_(count),
      begin_ns_(begin_ns),
      contexts_((static_cast<std::uint64_t>(number) + 1) << 32) {
  world_.context = kWorldContext;
  world_.group = Group(0, 1, count);
  world_.rank = number;
  world_.handle = MPI_COMM_WORLD;
  world_.name = "MPI_COMM_WORLD";
  self_.context = kSelfContext;
  self_.group = Group(number, 1, 1);
  self_.handle = MPI_COMM_SELF;
  self_.name = "MPI_COMM_SELF";
  failed_.why.reserve(kTextWithoutMemory);
}

VirtualRank::~VirtualRank() = default;

VirtualRank& VirtualRank::running() {
  if (!threads::on_rank_thread) [[unlikely]] {
    end_job(1,
            "MPI is called from a kernel thread that is not the virtual rank's own, as libc makes "
            "for SIGEV_THREAD. Call it from the program's main thread");
  }
  return *static_cast<VirtualRank*>(Image::running()->attached);
}

Communicator* VirtualRank::find_communicator(MPI_Comm handle) {
  if (handle == MPI_COMM_WORLD) return &world_;
  if (handle == MPI_COMM_SELF) return &self_;
  return communicators_.find(handle);
}

Communicator& VirtualRank::communicator(MPI_Comm handle) {
  Communicator* found = find_communicator(handle);
  if (found == nullptr) {
    throw CallError(MPI_ERR_COMM, handle == MPI_COMM_NULL
                                      ? std::string("the communicator is MPI_COMM_NULL")
                                      : text("0x%08x is no communicator, or was freed",
                                             static_cast<unsigned>(handle)));
  }
  return *found;
}

MPI_Comm VirtualRank::add(std::unique_ptr<Communicator> made) {
  Communicator* communicator = made.get();
  return communicator->handle = communicators_.add(std::move(made));
}

void VirtualRank::remove_communicator(MPI_Comm handle) { communicators_.remove(handle); }

Group VirtualRank::group(MPI_Group handle) {
  if (handle == MPI_GROUP_EMPTY) return {};
  const Group* found = groups_.find(handle);
  if (found == nullptr) {
    throw CallError(MPI_ERR_GROUP,
                    text("0x%08x is no group, or was freed", static_cast<unsigned>(handle)));
  }
  return *found;
}

MPI_Group VirtualRank::add(Group group) {
  if (group.size() == 0) return MPI_GROUP_EMPTY;
  return groups_.add(std::make_unique<Group>(std::move(group)));
}

void VirtualRank::remove_group(MPI_Group handle) { groups_.remove(handle); }

Info& VirtualRank::info(MPI_Info handle) {
  if (handle == MPI_INFO_ENV) return environment_info;
  Info* found = infos.find(handle);
  if (found == nullptr) {
    throw CallError(MPI_ERR_INFO, handle == MPI_INFO_NULL
                                      ? std::string("the info is MPI_INFO_NULL")
                                      : text("0x%08x is no info", static_cast<unsigned>(handle)));
  }
  return *found;
}

std::shared_ptr<void> VirtualRank::hold_type(MPI_Datatype handle) {
  DerivedType* type = types.find(handle);
  ++type->holders;
  return {type, [this, handle](DerivedType* held) {
            if (--held->holders == 0 && held->freed) free_type(handle);
          }};
}

void VirtualRank::free_type(MPI_Datatype handle) {
  DerivedType* type = types.find(handle);
  type->freed = true;
  if (type->holders != 0) return;
  type_names.erase(handle);
  types.remove(handle);
}

// ---- error handlers and keys ----

MPI_Errhandler VirtualRank::name_errhandler(MPI_Errhandler handle) {
  if (UserErrhandler* own = errhandlers.find(handle)) ++own->named;
  return handle;
}

std::set<MPI_Errhandler> VirtualRank::errhandlers_of_objects() {
  std::set<MPI_Errhandler> all = {world_.errhandler, self_.errhandler, files.errhandler};
  const auto add = [&all](const auto& object) { all.insert(object.errhandler); };
  communicators_.for_each(add);
  sessions.for_each(add);
  requests.for_each(add);
  messages.for_each(add);
  windows.for_each(add);
  for (const auto& file : files.all()) {
    if (file != nullptr) add(*file);
  }
  return all;
}

// Objects come to theirs in many ways, and it is seldom asked, so they are looked through.
void VirtualRank::free_errhandler(MPI_Errhandler handle) {
  if (UserErrhandler* own = errhandlers.find(handle); own != nullptr && own->named != 0)
    --own->named;
  const std::set<MPI_Errhandler> used = errhandlers_of_objects();
  for (const MPI_Errhandler other : errhandlers.handles()) {
    if (errhandlers.find(other)->named == 0 && !used.contains(other)) errhandlers.remove(other);
  }
}

void VirtualRank::free_keyval(int keyval) {
  hold_keyval(keyval);
  keyvals.find(keyval)->freed = true;
  release_keyval(keyval);
}

void VirtualRank::hold_keyval(int keyval) {
  if (Keyval* key = keyvals.find(keyval)) ++key->holders;
}

void VirtualRank::release_keyval(int keyval) {
  Keyval* key = keyvals.find(keyval);
  if (key != nullptr && --key->holders == 0 && key->freed) keyvals.remove(keyval);
}

// ---- progress ----

// What ends may let something end that was looked at before.
void VirtualRank::progress() {
  bool again = true;
  while (again) {
    again = false;
    if (const std::uint32_t noted = runtime::noted_receives(); noted != noted_) {
      noted_ = noted;
      requests.for_each([](Request& request) {
        if (request.kind == Request::Kind::kReceive) advance(&request);
      });
      again = true;
    }
    for (std::size_t i = 0; i < watched_.size();) {
      Request* request = watched_[i];
      if (!advance(request)) {
        ++i;
        continue;
      }
      watched_.erase(watched_.begin() + static_cast<std::ptrdiff_t>(i));
      drop_kept(request);
      again = true;
    }
  }
}

void VirtualRank::drop_kept(const Request* request) {
  const auto kept = std::find_if(kept_.begin(), kept_.end(),
                                 [request](const auto& one) { return one.get() == request; });
  if (kept == kept_.end()) return;
  buffered_bytes_ -= request->buffer_bytes;
  kept_.erase(kept);
}

void VirtualRank::give_up_requests() {
  watched_.clear();
  requests.clear();
  messages.clear();
  kept_.clear();
  unknown_.clear();
}

void VirtualRank::unwatch(Request* request) {
  watched_.erase(std::remove(watched_.begin(), watched_.end(), request), watched_.end());
}

void VirtualRank::keep_to_its_end(std::unique_ptr<Request> request) {
  buffered_bytes_ += request->buffer_bytes;
  watch(request.get());
  kept_.push_back(std::move(request));
}

bool VirtualRank::make_buffer_room(std::size_t bytes) {
  constexpr int kMostLooks = 2000;  // a millisecond apart
  progress();
  for (int i = 0; buffered_bytes_ + bytes > buffer_room; ++i) {
    if (i == kMostLooks || bytes > buffer_room) return false;
    this_thread::sleep_for(std::chrono::milliseconds(i == 0 ? 0 : 1));
    progress();
  }
  return true;
}

void VirtualRank::keep_until_known(std::unique_ptr<Partitions> partitions) {
  std::erase_if(unknown_, [](const auto& one) { return one->is_known(); });
  if (!partitions->is_known()) unknown_.push_back(std::move(partitions));
}

void VirtualRank::wait() { runtime::wait_for_news(call); }

// One that is pinned stays.
void VirtualRank::move_on() {
  try {
    this_thread::migrate((rank() + 1) % ranks());
  } catch (const Error&) {
  }
}

void VirtualRank::look_around() {
  runtime::look_for_news();
  progress();
}

}  // namespace roam::mpi
