// Beginning and end, versions, clocks, and error handlers (chapters 8 and 10 of the standard).

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <utility>

#include "base/clock.h"
#include "base/text.h"
#include "mpi/calls/call.h"
#include "mpi/calls/collectives.h"
#include "mpi/calls/ending.h"
#include "mpi/calls/memory.h"
#include "mpi/calls/messages.h"
#include "mpi/calls/world_collectives.h"
#include "mpi/image/elf_file.h"
#include "mpi/image/image.h"
#include "mpi/image/place_calls.h"
#include "roam/team.h"
#include "roam/thread.h"

namespace roam::mpi {

void set_constants_of_fortran() {
  const std::pair<const char*, int*> constants[] = {
      {"MPIR_C_MPI_UNWEIGHTED", MPI_UNWEIGHTED}, {"MPIR_C_MPI_WEIGHTS_EMPTY", MPI_WEIGHTS_EMPTY}};
  const Image& image = *Image::running();
  for (std::size_t i = 0; i < image.module_count(); ++i) {
    if (!image.has_module(i)) continue;
    const ElfFile& file = *image.module(i).file;
    for (const auto& [name, value] : constants) {
      if (const std::uint32_t found = file.find(name, {}); found != 0)
        *image.at<int**>(i, file.symbol(found).st_value) = value;
    }
  }
}

namespace {

int init_at_level(int wanted, int* provided) {
  VirtualRank& me = VirtualRank::running();
  if (me.state != VirtualRank::State::kBefore)
    end_job(1, text("virtual rank %d calls MPI_Init for the second time", me.number()));
  me.state = VirtualRank::State::kInside;
  set_constants_of_fortran();
  me.thread_level = std::min(wanted, VirtualRank::most_thread_level);
  if (provided != nullptr) *provided = me.thread_level;
  return MPI_SUCCESS;
}
int init(int*, char***) { return init_at_level(MPI_THREAD_SINGLE, nullptr); }
int init_thread(int*, char***, int wanted, int* provided) {
  return init_at_level(wanted, provided);
}

// All have come here before any goes on, since what others still send may be on its way to it.
int finalize() {
  return call("MPI_Finalize", MPI_COMM_WORLD, [](VirtualRank& me) {
    std::optional<CallError>
        failed;  // of a program's function: others wait for this one all the same
    for (const MPI_Comm last : {MPI_COMM_SELF, MPI_COMM_WORLD}) {
      try {
        me.communicator(last).attributes.remove_all(me, last);
      } catch (const CallError& failure) {
        if (!failed) failed = failure;
      }
    }
    wait_for_barrier(me, me.communicator(MPI_COMM_WORLD));
    me.wait_until([&] { return me.nothing_kept(); });
    me.state = VirtualRank::State::kAfter;
    if (failed) throw *failed;
  });
}

int initialized(int* flag) {
  return call_always("MPI_Initialized", needs(flag), [&](VirtualRank& me) {
    *flag = me.state != VirtualRank::State::kBefore ? 1 : 0;
  });
}
int finalized(int* flag) {
  return call_always("MPI_Finalized", needs(flag), [&](VirtualRank& me) {
    *flag = me.state == VirtualRank::State::kAfter ? 1 : 0;
  });
}
int query_thread(int* level) {
  return call_always("MPI_Query_thread", needs(level),
                     [&](VirtualRank& me) { *level = me.thread_level; });
}
int is_thread_main(int* flag) {
  return call_always("MPI_Is_thread_main", needs(flag), [&](VirtualRank&) { *flag = 1; });
}

int abort(MPI_Comm, int code) {
  const VirtualRank& me = VirtualRank::running();
  const int status = code & 0xff;
  end_job(status == 0 ? 1 : status,
          text("virtual rank %d calls MPI_Abort with %d", me.number(), code));
}

int get_version(int* version, int* subversion) {
  return call_always("MPI_Get_version", needs(version, subversion), [&](VirtualRank&) {
    *version = MPI_VERSION;  // that the program was compiled for
    *subversion = MPI_SUBVERSION;
  });
}
int get_library_version(char* text, int* length) {
  return call_always("MPI_Get_library_version", needs(text, length), [&](VirtualRank&) {
    *length = std::snprintf(text, MPI_MAX_LIBRARY_VERSION_STRING,
                            "Roam: virtual ranks, for programs built with MPICH");
  });
}
int get_processor_name(char* name, int* length) {
  return call_always("MPI_Get_processor_name", needs(name, length), [&](VirtualRank&) {
    std::memset(name, 0, MPI_MAX_PROCESSOR_NAME);
    if (gethostname(name, MPI_MAX_PROCESSOR_NAME - 1) != 0)
      throw CallError(MPI_ERR_OTHER, "the host has no name, or one that is too long");
    *length = static_cast<int>(std::strlen(name));
  });
}

// Clocks count from the start of each host: they are put on the time of day as it was when this
// process first asked. It is told from the start of the host of rank 0 on, so that a double has
// room for nanoseconds: since 1970 its steps are of 238 ns. A virtual rank that has moved does not
// see time go back.
double wtime() {
  static const std::int64_t host_began_ns = time_of_day_ns() - now_ns();
  VirtualRank& me = VirtualRank::running();
  me.last_wtime_ns = std::max(me.last_wtime_ns, host_began_ns + now_ns() - me.begin_ns());
  return static_cast<double>(me.last_wtime_ns) * 1e-9;
}
double wtick() { return 1e-9; }

int get_address(const void* location, MPI_Aint* address) {
  return call_always("MPI_Get_address", needs(address),
                     [&](VirtualRank&) { *address = reinterpret_cast<MPI_Aint>(location); });
}
MPI_Aint add_address(MPI_Aint base, MPI_Aint offset) { return base + offset; }
MPI_Aint subtract_addresses(MPI_Aint a, MPI_Aint b) { return a - b; }

int allocate(MPI_Aint bytes, MPI_Info info, void* to) {
  return call("MPI_Alloc_mem", MPI_COMM_WORLD, needs(to), [&](VirtualRank& me) {
    const Info wishes = me.info_or_none(info);
    if (bytes < 0) throw CallError(MPI_ERR_ARG, "a negative number of bytes is asked for");
    void* const block = memory_for(bytes, wishes);
    std::memcpy(to, &block, sizeof block);
  });
}
int free_memory(void* block) {
  std::free(block);
  return MPI_SUCCESS;
}
int profile_control(int, ...) { return MPI_SUCCESS; }

// ---- MPICH's, for memory of devices, of which nothing is known here ----

int no_device() { return 0; }
int query_device(int kind, int* is_supported) {
  return call_always("MPIX_GPU_query_support", needs(is_supported), [&](VirtualRank&) {
    *is_supported = 0;
    if (kind < MPIX_GPU_SUPPORT_CUDA || kind > MPIX_GPU_SUPPORT_HIP)
      throw CallError(MPI_ERR_ARG, text("%d is no kind of device", kind));
  });
}

// ---- under AMPI's names ----

// A point that all virtual ranks reach. AMPI has one that does not wait; here both do.
int migrate(MPI_Info handle) {
  return call("AMPI_Migrate", MPI_COMM_WORLD, [&](VirtualRank& me) {
    for (const auto& [key, value] : me.info_or_none(handle).entries) {
      if (key == "ampi_load_balance" && (value == "sync" || value == "async")) continue;
      throw CallError(MPI_ERR_INFO_VALUE,
                      text("%s is %s; what is known is ampi_load_balance, sync or async",
                           key.c_str(), value.c_str()));
    }
    balance_of_all(me);
  });
}
int set_load(double load) {
  return call("AMPI_Load_set_value", MPI_COMM_WORLD, [&](VirtualRank&) {
    if (!std::isfinite(load)) throw CallError(MPI_ERR_ARG, "a load is a number");
    this_thread::set_load(load);
  });
}

}  // namespace

void add_environment_calls() {
  add_call("MPI_Init", &init);
  add_call("MPI_Init_thread", &init_thread);
  add_call("MPI_Finalize", &finalize);
  add_call("MPI_Initialized", &initialized);
  add_call("MPI_Finalized", &finalized);
  add_call("MPI_Query_thread", &query_thread);
  add_call("MPI_Is_thread_main", &is_thread_main);
  add_call("MPI_Abort", &abort);
  add_call("MPI_Get_version", &get_version);
  add_call("MPI_Get_library_version", &get_library_version);
  add_call("MPI_Get_processor_name", &get_processor_name);
  add_call("MPI_Wtime", &wtime);
  add_call("MPI_Wtick", &wtick);
  add_call("MPI_Get_address", &get_address);
  add_call("MPI_Address", &get_address);
  add_call("MPI_Aint_add", &add_address);
  add_call("MPI_Aint_diff", &subtract_addresses);
  add_call("MPI_Alloc_mem", &allocate);
  add_call("MPI_Free_mem", &free_memory);
  add_call("MPI_Pcontrol", &profile_control);
  add_call("MPIX_Query_cuda_support", &no_device);
  add_call("MPIX_Query_hip_support", &no_device);
  add_call("MPIX_Query_ze_support", &no_device);
  add_call("MPIX_GPU_query_support", &query_device);
  add_place_calls(MPI_ERR_OTHER);
  add_launcher_call("AMPI_Migrate", &migrate);
  add_launcher_call("AMPI_Load_set_value", &set_load);
}

}  // namespace roam::mpi
