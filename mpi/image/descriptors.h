#ifndef ROAM_MPI_IMAGE_DESCRIPTORS_H_
#define ROAM_MPI_IMAGE_DESCRIPTORS_H_

#include <cstddef>
#include <cstdint>
#include <vector>

namespace roam::mpi {

// The descriptors that a virtual rank has, which are numbers of the process: while it has opened
// any, its thread stays on its rank. Those that are open at its end are closed then. The standard
// three are the process's and everybody's; what else the process has open (of the launcher, of MPI,
// of other virtual ranks) is not open for this one, and is never touched for it.
//
// Context: the virtual rank's thread.
class Descriptors {
 public:
  Descriptors() = default;
  ~Descriptors() { close_all(); }
  Descriptors(const Descriptors&) = delete;
  Descriptors& operator=(const Descriptors&) = delete;

  // Whether it has opened that one, and nobody else has since, who was given the number after it
  // had been closed unseen.
  bool has(int descriptor) const;
  // Whether a call may be made with it: its own, a standard one, AT_FDCWD or another number that is
  // no descriptor's.
  bool may_use(int descriptor) const { return descriptor <= kLastStandard || has(descriptor); }
  static bool is_standard(int descriptor) { return descriptor >= 0 && descriptor <= kLastStandard; }
  // One past the highest number that it has had.
  int end() const { return static_cast<int>(kinds_.size()); }

  // Returns `descriptor`, which the running virtual rank has opened if it is not negative; -1 with
  // ENOMEM, and it is closed again, if there is no memory to note it.
  // `least`: it asked for that number or a higher one.
  int opened(int descriptor, int least = 0) {
    if (closed_[0] || closed_[1] || closed_[2]) [[unlikely]]
      tell_of_closed(descriptor, least);
    return note(descriptor, kPins);
  }
  // The same of one that a stream has opened, which pins itself.
  int opened_by_stream(int descriptor) {
    if (closed_[0] || closed_[1] || closed_[2]) [[unlikely]]
      tell_of_closed(descriptor, 0);
    return note(descriptor, kOfStream);
  }
  // Somebody else closes it, or has. False: it was none of these.
  bool forget(int descriptor);
  // As close. Standard ones stay open, since other virtual ranks use them; what is opened next,
  // which would be in their place, is told of.
  int close(int descriptor);
  void close_all();

  // While one lives, programs that are started inherit no descriptors of other virtual ranks of
  // this process; nobody else runs meanwhile.
  class OnlyOwn {
   public:
    explicit OnlyOwn(const Descriptors& own);
    ~OnlyOwn();
    OnlyOwn(const OnlyOwn&) = delete;
    OnlyOwn& operator=(const OnlyOwn&) = delete;

   private:
    std::vector<int> hidden_;
  };

  // Says once that a number was used which is open in the process, but not for this virtual rank.
  void report_foreign(int descriptor);

 private:
  static constexpr int kLastStandard = 2;
  enum Kind : std::uint8_t { kNone, kPins, kOfStream };
  int note(int descriptor, Kind kind);
  void tell_of_closed(int descriptor, int least);

  std::vector<Kind> kinds_;              // by number
  bool closed_[kLastStandard + 1] = {};  // of the standard ones, and nothing opened since
  bool told_ = false;
};

}  // namespace roam::mpi

#endif  // ROAM_MPI_IMAGE_DESCRIPTORS_H_
