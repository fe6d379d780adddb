// Where the tables lie by which an exception finds its way through code of an image. libgcc_s asks
// the dynamic linker for them, by this name; the launcher's definition comes first. Nothing is
// registered, so a throw costs the same however many images live.

#include <dlfcn.h>

#include "mpi/image/image.h"
#include "threads/scheduler.h"

#if DLFO_STRUCT_HAS_EH_DBASE
#error "frames of images are found on x86-64 only"
#endif

namespace {

using Find = int(void*, dl_find_object*);
Find* real = nullptr;
link_map* launcher = nullptr;  // code of images is the program's, for who asks
// Before anything throws: not while an exception is under way.
[[gnu::constructor(101)]] void find_real() {
  real = reinterpret_cast<Find*>(dlsym(RTLD_NEXT, "_dl_find_object"));
  dl_find_object of;
  if (real != nullptr && real(reinterpret_cast<void*>(&find_real), &of) == 0)
    launcher = of.dlfo_link_map;
}

}  // namespace

extern "C" [[gnu::visibility("default")]] int _dl_find_object(void* code, dl_find_object* result) {
  // Images come and go on the rank's kernel thread, which alone runs their code.
  const roam::mpi::Image* image =
      roam::threads::on_rank_thread ? roam::mpi::Image::running() : nullptr;
  const std::size_t i = image == nullptr ? 0 : image->module_of(code);
  if (image == nullptr || i == image->module_count())
    return real != nullptr ? real(code, result) : -1;
  const roam::mpi::ModuleLayout& m = image->module(i);
  if (m.unwind_table == 0) return -1;
  result->dlfo_flags = 0;
  result->dlfo_map_start = image->at<void*>(i, 0);
  result->dlfo_map_end = image->at<void*>(i, m.bytes);
  result->dlfo_link_map = launcher;
  result->dlfo_eh_frame = image->at<void*>(i, m.unwind_table);
  return 0;
}
