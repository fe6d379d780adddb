#ifndef ROAM_MPI_CALLS_VIRTUAL_RANK_H_
#define ROAM_MPI_CALLS_VIRTUAL_RANK_H_

#include <mpi.h>

#include <cstdint>
#include <ctime>
#include <map>
#include <memory>
#include <new>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "mpi/calls/call_error.h"
#include "mpi/calls/communicator.h"
#include "mpi/calls/error_classes.h"
#include "mpi/calls/files.h"
#include "mpi/calls/handle_table.h"
#include "mpi/calls/info.h"
#include "mpi/calls/request.h"
#include "mpi/calls/windows.h"

namespace roam::mpi {

// A reduction of the program's: one of the functions (MPI_Op_create, MPI_Op_create_c). A function
// of C++ is called by one of MPICH's C++ library.
struct UserOp {
  using Proxy = void (*)(const void* from, void* into, int count, MPI_Datatype type,
                         MPI_User_function* function);
  MPI_User_function* function = nullptr;
  MPI_User_function_c* long_function = nullptr;
  bool commutes = true;
  Proxy proxy = nullptr;
};
struct UserErrhandler {
  using Proxy = void (*)(int kind, int* object, int* code, void (*function)());
  MPI_Comm_errhandler_function* function = nullptr;       // null: it is for files
  MPI_File_errhandler_function* file_function = nullptr;  // null: it is not for files
  Proxy proxy = nullptr;
  int named = 1;  // how often the program has been given its number, and has not freed it
};
// Kinds of object whose handler is called, as MPICH's C++ library has them.
inline constexpr int kHandlerOfCommunicator = 0, kHandlerOfFile = 1, kHandlerOfWindow = 2;
// What a program has from MPI_Session_init to MPI_Session_finalize.
struct Session {
  MPI_Errhandler errhandler = MPI_ERRORS_ARE_FATAL;
  Info info;
};
// A datatype that the program made.
struct DerivedType {
  TypeRef type;
  bool committed = false;
  bool freed = false;  // by the program, while its number is held
  int holders = 0;
  Attributes attributes;
};
// Nanoseconds since 1970. Jumps where the clock is set.
inline std::int64_t time_of_day_ns() {
  timespec day;
  clock_gettime(CLOCK_REALTIME, &day);
  return std::int64_t{day.tv_sec} * 1'000'000'000 + day.tv_nsec;
}
// All that MPI is to one virtual rank: its communicators, requests, and so on. It lies in the
// memory of the virtual rank's thread and goes where that goes.
//
// Context: that thread, which is a member of the team of all virtual ranks, of the same number.
class VirtualRank {
 public:
  // `begin_ns`: the time of day when the host of rank 0 began, since 1970.
  VirtualRank(int number, int count, std::int64_t begin_ns);
  ~VirtualRank();
  VirtualRank(const VirtualRank&) = delete;
  VirtualRank& operator=(const VirtualRank&) = delete;

  // The one that runs. From a kernel thread that libc has made for the program (SIGEV_THREAD),
  // which is none: ends the job with a message.
  static VirtualRank& running();

  // What is granted of what a program asks for is at most that. Virtual ranks have no kernel
  // threads beside the one that runs them, so any level holds.
  static inline int most_thread_level = MPI_THREAD_MULTIPLE;
  // Each blocking call sends its virtual rank on to the next rank (--migrate=every).
  static inline bool moves_at_each_wait = false;

  int number() const { return number_; }
  int count() const { return count_; }
  std::int64_t begin_ns() const { return begin_ns_; }

  // ---- from MPI_Init to MPI_Finalize ----

  enum class State : std::uint8_t { kBefore, kInside, kAfter };
  State state = State::kBefore;
  HandleTable<Session, Kind::kSession> sessions;
  // MPI's functions may be called.
  bool is_open() const { return state == State::kInside || sessions.count() != 0; }
  int tool_begins = 0;  // calls of MPI_T_init_thread without one of MPI_T_finalize
  int thread_level = MPI_THREAD_SINGLE;
  // What MPI_Wtime said last. On another host than rank 0's, whose clock is behind, it begins below
  // zero.
  std::int64_t last_wtime_ns = INT64_MIN;
  // The call of MPI that it is in, for messages; what a thread waits for is shown by it.
  const char* call = "";
  // The call that failed last. It is not kept in a frame of that call, which an error handler of
  // the program's may leave by longjmp.
  const FailedCall& fail(int code, std::string_view why) noexcept {
    failed_.code = code;
    try {
      failed_.why = why;
    } catch (const std::bad_alloc&) {
      failed_.why = why.substr(0, failed_.why.capacity());
    }
    return failed_;
  }
  bool makes_persistent = false;  // the collective that is called next, with this info
  MPI_Info persistent_info = MPI_INFO_NULL;

  // ---- what it names by numbers ----

  // CallError(MPI_ERR_COMM): it is none, or was freed.
  Communicator& communicator(MPI_Comm handle);
  Communicator* find_communicator(MPI_Comm handle);
  MPI_Comm add(std::unique_ptr<Communicator> made);
  void remove_communicator(MPI_Comm handle);
  // A copy, which costs no memory a member. CallError(MPI_ERR_GROUP).
  Group group(MPI_Group handle);
  MPI_Group add(Group group);
  void remove_group(MPI_Group handle);

  HandleTable<DerivedType, Kind::kDatatype> types;
  std::map<MPI_Datatype, std::string> type_names;  // that the program gave
  // While it lives, the number of the datatype names nothing else, though the program frees it.
  std::shared_ptr<void> hold_type(MPI_Datatype handle);
  void free_type(MPI_Datatype handle);
  HandleTable<Request, Kind::kRequest> requests;
  HandleTable<Request, Kind::kMessage> messages;  // matched by MPI_Mprobe
  std::uint64_t next_match = 0;
  std::map<MPI_Datatype, Attributes> predefined_type_attributes;
  std::map<long, MPI_Datatype> fortran_types;  // by what was asked for
  // CallError(MPI_ERR_INFO).
  Info& info(MPI_Info handle);
  // The same; of MPI_INFO_NULL one without keys.
  Info info_or_none(MPI_Info handle) {
    return handle == MPI_INFO_NULL ? Info() : Info(info(handle));
  }

  HandleTable<UserOp, Kind::kOp> ops;
  HandleTable<UserErrhandler, Kind::kErrhandler> errhandlers;
  // The number of one that the program names once more; that of the standard's is what it is.
  MPI_Errhandler name_errhandler(MPI_Errhandler handle);
  // The program names it no more by that number. Those are removed that no object has either, this
  // one or others.
  void free_errhandler(MPI_Errhandler handle);
  HandleTable<Keyval, Kind::kKeyval> keyvals;
  // The program names it no more: it is removed when no attribute has it.
  void free_keyval(int keyval);
  void hold_keyval(int keyval);
  void release_keyval(int keyval);
  HandleTable<Info, Kind::kInfo> infos;
  Windows windows;
  Info environment_info;  // MPI_INFO_ENV
  Files files;
  OwnErrors own_errors;

  // Attributes that all communicators have: programs are given their addresses.
  struct Predefined {
    int most_tag, host = MPI_PROC_NULL, io = MPI_ANY_SOURCE, wtime_is_global = 0, universe_size,
                  program_number = 0, last_used_code = MPI_ERR_LASTCODE;
  } predefined;

  // A context that nobody else makes: those of a virtual rank have its number.
  std::uint64_t make_context() { return contexts_ += kContextsEach; }

  // ---- progress ----

  // Does what has become possible, of all that is under way: acknowledges receives, advances
  // collectives, frees what nobody waits for. Does not suspend.
  void progress();
  // Makes progress until `done()`. Suspends; may be on another rank afterwards.
  template <class Done>
  void wait_until(Done done) {
    begin_wait();
    wait_on(done);
  }
  // The same in two steps, for what begins between them.
  void begin_wait() {
    if (moves_at_each_wait) [[unlikely]]
      move_on();
  }
  template <class Done>
  void wait_on(Done done) {
    for (;;) {
      progress();
      if (done()) return;
      wait();
    }
  }
  // Lets messages in and others run, for calls that a program makes in a loop.
  void look_around();
  // Requests under way that need progress() though nobody waits for them.
  void watch(Request* request) { watched_.push_back(request); }
  void unwatch(Request* request);
  // Nobody waits for it, and it is there until it is done.
  void keep_to_its_end(std::unique_ptr<Request> request);
  // Of a partitioned receive that is freed: the next one is not for the send that belongs to it.
  void keep_until_known(std::unique_ptr<Partitions> partitions);
  // At the end of the program: what it has left under way is taken back or waited for, while its
  // variables are there.
  void give_up_requests();
  bool nothing_kept() const { return kept_.empty(); }
  // What such ones have of the attached buffer (MPI_Bsend).
  std::size_t buffered_bytes() const { return buffered_bytes_; }
  // Whether there is room for so many bytes more. That a message has been received, its sender may
  // hear later than others whom the receiver tells, as when it has moved: so a while is left for
  // that before there is said to be none. May suspend.
  bool make_buffer_room(std::size_t bytes);

  // MPI_Buffer_attach.
  void* buffer = nullptr;
  std::size_t buffer_room = 0;

 private:
  std::set<MPI_Errhandler> errhandlers_of_objects();
  void wait();
  void move_on();
  void drop_kept(const Request* request);

  // What there is room for to say where there is no memory.
  static constexpr std::size_t kTextWithoutMemory = 100;
  FailedCall failed_;
  int number_, count_;
  std::int64_t begin_ns_;
  std::uint64_t contexts_;
  HandleTable<Communicator, Kind::kComm> communicators_;
  Communicator world_, self_;
  HandleTable<Group, Kind::kGroup> groups_;
  std::uint32_t noted_ = 0;  // receives that had something to be answered, when it was looked last
  std::vector<Request*> watched_;
  std::vector<std::unique_ptr<Request>> kept_;
  std::vector<std::unique_ptr<Partitions>> unknown_;
  std::size_t buffered_bytes_ = 0;
};

}  // namespace roam::mpi

#endif  // ROAM_MPI_CALLS_VIRTUAL_RANK_H_
