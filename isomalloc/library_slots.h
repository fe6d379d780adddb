#ifndef ROAM_ISOMALLOC_LIBRARY_SLOTS_H_
#define ROAM_ISOMALLOC_LIBRARY_SLOTS_H_

#include <cstddef>
#include <string>

struct addrinfo;

// What libc, ld.so and the run-time libraries of languages allocate for themselves is the
// process's, whoever runs: a thread that leaves would take their tables, caches and buffers along.
// So the slots through which they call the malloc family (their entries of the global offset table,
// and ld.so's own pointers) lead to functions that allocate with the capture off. The calls of the
// program and of libstdc++ go to malloc as ever.
//
// Memory that one of their functions gives to its caller is the caller's. Where that is one block,
// the function that stands before libc's calls hand_over(); where it is an object of the caller
// that libc allocates into (regex_t), it calls libc's inside a LibraryGives.
namespace roam::iso {

// Turns the slots of the libraries that are loaded now. Called once the arena is ready, and again
// whenever more was loaded; turns each slot once.
void turn_library_slots();

// Whether that is code of the program or of a library of its own, which does not come from a
// directory of the system.
bool is_program_code(const void* address);

// What was not found and so still calls malloc, for people; empty: all is turned. The calls that
// are passed on with the capture off (process_call.h) are then all that keeps it out of heaps.
std::string unturned_library_slots();

// While one lives, what libraries of the process allocate is their caller's, as the program's own.
class LibraryGives {
 public:
  explicit LibraryGives(bool gives = true);
  ~LibraryGives();
  LibraryGives(const LibraryGives&) = delete;
  LibraryGives& operator=(const LibraryGives&) = delete;

 private:
  bool saved_;
};

// `block` was allocated by a library for its caller: in a thread, a copy in its heap takes its
// place. False, with errno ENOMEM and nothing changed, if there is no room.
bool hand_over(void** block);

template <class T>
bool hand_over(T*& block) {
  void* moved = const_cast<void*>(static_cast<const void*>(block));
  if (!hand_over(&moved)) return false;
  block = static_cast<T*>(moved);
  return true;
}

// The same of a call's result, freed and null if there is no room.
void* handed_over(void* block);

// The same of a list of getaddrinfo.
bool hand_over_addresses(addrinfo** list);

}  // namespace roam::iso

#endif  // ROAM_ISOMALLOC_LIBRARY_SLOTS_H_
