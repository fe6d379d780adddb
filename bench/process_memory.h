#ifndef ROAM_BENCH_PROCESS_MEMORY_H_
#define ROAM_BENCH_PROCESS_MEMORY_H_

namespace bench {

// Bytes that this process takes now; reading them allocates nothing.
struct ProcessMemory {
  double resident;     // Rss
  double pss;          // resident, what is shared in proportion
  double page_tables;  // VmPTE
};
ProcessMemory process_memory();

// Of the whole machine.
struct MachineMemory {
  double available;  // MemAvailable
  double slab;       // the kernel's own tables
};
MachineMemory machine_memory();

}  // namespace bench

#endif  // ROAM_BENCH_PROCESS_MEMORY_H_
