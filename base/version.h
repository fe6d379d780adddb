#ifndef ROAM_BASE_VERSION_H_
#define ROAM_BASE_VERSION_H_

namespace roam {

// Of this release. ./roam reads it here, for what it installs and packs.
inline constexpr char kVersion[] = "0.1.0";

}  // namespace roam

#endif  // ROAM_BASE_VERSION_H_
