#include "runtime/net/component.h"

#include "base/check.h"

namespace roam::runtime {

void Component::handle(int from, const char* message, std::size_t) {
  fatal("a message of kind %u came from rank %d to a component that takes none",
        static_cast<unsigned>(read<Kind>(message)), from);
}

}  // namespace roam::runtime
