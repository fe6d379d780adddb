#ifndef ROAM_ISOMALLOC_LOCALE_OBJECTS_H_
#define ROAM_ISOMALLOC_LOCALE_OBJECTS_H_

namespace roam::iso {

// What the calling kernel thread makes a locale_t for, as pins tell it; null: nothing of C++'s.
extern thread_local constinit const char* locale_being_made;

}  // namespace roam::iso

#endif  // ROAM_ISOMALLOC_LOCALE_OBJECTS_H_
