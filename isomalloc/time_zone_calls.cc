// Time zones of <chrono> (libstdc++ from GCC 13 on): it reads their database at the first use, and
// parts of a zone when they are asked for, and keeps both for the process.
//
// Named as the linker knows them, since older headers do not declare them. All take pointers and
// whole numbers, and return a pointer or through one, so one form passes them on.

#include <cstdint>

#include "isomalloc/process_call.h"

namespace {
using Word = std::intptr_t;
using Call = Word(Word, Word, Word, Word);
}  // namespace

#define ROAM_TIME_ZONE_CALL(name, symbol)                            \
  ROAM_EXPORT Word name(Word a, Word b, Word c, Word d) asm(symbol); \
  Word name(Word a, Word b, Word c, Word d) {                        \
    static const auto real = roam::iso::next<Call>(symbol);          \
    roam::iso::HeapScope process;                                    \
    return real(a, b, c, d);                                         \
  }
#define ROAM_CHRONO "_ZNSt6chrono"
#define ROAM_CHRONO_CONST "_ZNKSt6chrono"
#define ROAM_STRING_VIEW "ESt17basic_string_viewIcSt11char_traitsIcEE"
#define ROAM_SECONDS "8durationIlSt5ratioILl1ELl1EEEEEE"

ROAM_TIME_ZONE_CALL(roam_get_tzdb_list, ROAM_CHRONO "13get_tzdb_listEv")
ROAM_TIME_ZONE_CALL(roam_get_tzdb, ROAM_CHRONO "8get_tzdbEv")
ROAM_TIME_ZONE_CALL(roam_reload_tzdb, ROAM_CHRONO "11reload_tzdbEv")
ROAM_TIME_ZONE_CALL(roam_remote_version, ROAM_CHRONO "14remote_versionB5cxx11Ev")
ROAM_TIME_ZONE_CALL(roam_locate_zone, ROAM_CHRONO "11locate_zone" ROAM_STRING_VIEW)
ROAM_TIME_ZONE_CALL(roam_current_zone, ROAM_CHRONO "12current_zoneEv")
ROAM_TIME_ZONE_CALL(roam_tzdb_locate_zone, ROAM_CHRONO_CONST "4tzdb11locate_zone" ROAM_STRING_VIEW)
ROAM_TIME_ZONE_CALL(roam_tzdb_current_zone, ROAM_CHRONO_CONST "4tzdb12current_zoneEv")
ROAM_TIME_ZONE_CALL(roam_zone_sys_info, ROAM_CHRONO_CONST
                    "9time_zone15_M_get_sys_infoENS_10time_pointINS_3_V2"
                    "12system_clockENS_" ROAM_SECONDS)
ROAM_TIME_ZONE_CALL(roam_zone_local_info, ROAM_CHRONO_CONST
                    "9time_zone17_M_get_local_infoENS_10time_pointINS_"
                    "7local_tENS_" ROAM_SECONDS)
