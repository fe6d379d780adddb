// Functions of libc that keep something between calls: a virtual rank has its own of it, as a
// process has, by the forms of them that are given their state.

#include <math.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <ctime>

#include "mpi/image/image.h"
#include "mpi/image/process_calls.h"
#include "mpi/image/process_symbols.h"

namespace roam::mpi {
namespace {

LibcState& state() { return Image::running()->libc_state(); }

// ---- random numbers ----

long random_number() {
  std::int32_t number = 0;
  random_r(&state().random, &number);
  return number;
}
int rand_number() { return static_cast<int>(random_number()); }
void seed_random(unsigned seed) { srandom_r(seed, &state().random); }

// The words of a state begin one before where it says.
char* words_of(const random_data& data) { return reinterpret_cast<char*>(data.state - 1); }
char* init_state(unsigned seed, char* words, std::size_t bytes) {
  char* old = words_of(state().random);
  return initstate_r(seed, words, bytes, &state().random) == 0 ? old : nullptr;
}
char* set_state(char* words) {
  char* old = words_of(state().random);
  return setstate_r(words, &state().random) == 0 ? old : nullptr;
}

double drand48_number() {
  double number = 0;
  drand48_r(&state().random48, &number);
  return number;
}
double erand48_number(unsigned short* words) {
  double number = 0;
  erand48_r(words, &state().random48, &number);
  return number;
}
template <int (*kCall)(drand48_data*, long*)>
long of_state() {
  long number = 0;
  kCall(&state().random48, &number);
  return number;
}
template <int (*kCall)(unsigned short*, drand48_data*, long*)>
long of_words(unsigned short* words) {
  long number = 0;
  kCall(words, &state().random48, &number);
  return number;
}
void seed_48(long seed) { srand48_r(seed, &state().random48); }
unsigned short* seed_48_with(unsigned short* words) {
  seed48_r(words, &state().random48);
  return state().random48.__old_x;
}
void set_48(unsigned short* parameters) { lcong48_r(parameters, &state().random48); }

// ---- words, and times of the day ----

char* next_token(char* text, const char* between) {
  return strtok_r(text, between, &state().token);
}

std::tm* universal_time(const std::time_t* when) { return gmtime_r(when, &state().time); }
char* text_of_time(const std::tm* time) { return asctime_r(time, state().time_text); }

// ---- the sign of the gamma function ----

template <auto kCall, class Real>
Real gamma_of(Real x) {
  return kCall(x, &Image::running()->variable<int>(LibcVariable::kGammaSign));
}

}  // namespace

void add_state_calls() {
  add_launcher_call("rand", &rand_number);
  add_launcher_call("srand", &seed_random);
  add_launcher_call("random", &random_number);
  add_launcher_call("srandom", &seed_random);
  add_launcher_call("initstate", &init_state);
  add_launcher_call("setstate", &set_state);
  add_launcher_call("drand48", &drand48_number);
  add_launcher_call("erand48", &erand48_number);
  add_launcher_call("lrand48", &of_state<lrand48_r>);
  add_launcher_call("mrand48", &of_state<mrand48_r>);
  add_launcher_call("nrand48", &of_words<nrand48_r>);
  add_launcher_call("jrand48", &of_words<jrand48_r>);
  add_launcher_call("srand48", &seed_48);
  add_launcher_call("seed48", &seed_48_with);
  add_launcher_call("lcong48", &set_48);
  add_launcher_call("strtok", &next_token);
  add_launcher_call("gmtime", &universal_time);
  add_launcher_call("asctime", &text_of_time);
  add_launcher_call("lgamma", &gamma_of<lgamma_r, double>);
  add_launcher_call("lgammaf", &gamma_of<lgammaf_r, float>);
  add_launcher_call("lgammal", &gamma_of<lgammal_r, long double>);
  add_launcher_call("gamma", &gamma_of<lgamma_r, double>);
  add_launcher_call("gammaf", &gamma_of<lgammaf_r, float>);
  add_launcher_call("gammal", &gamma_of<lgammal_r, long double>);
  add_answer_calls();
  add_zone_calls();
  add_error_calls();
}

}  // namespace roam::mpi
