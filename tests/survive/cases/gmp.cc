// GMP in the middle of a computation: numbers whose limbs are in the thread's heap.
#include <gmp.h>

#include <cstdlib>
#include <string>

#include "tests/support/check.h"
#include "tests/support/pattern.h"
#include "tests/support/random.h"
#include "tests/survive/case.h"

namespace roam_test {
namespace {

class Integer {
 public:
  explicit Integer(unsigned long value = 0) { mpz_init_set_ui(value_, value); }
  ~Integer() { mpz_clear(value_); }
  Integer(const Integer&) = delete;
  mpz_ptr get() { return value_; }

 private:
  mpz_t value_;
};

std::string text_of(Integer& number) {
  char* text = mpz_get_str(nullptr, 62, number.get());
  std::string result(text);
  std::free(text);
  return result;
}

SURVIVE_CASE(gmp_factorial_half_way) {
  Integer product(1), want;
  for (unsigned long i = 2; i <= 3000; ++i) {
    mpz_mul_ui(product.get(), product.get(), i);
    if (i % 1000 == 500) move();
  }
  mpz_fac_ui(want.get(), 3000);
  expect_eq(mpz_cmp(product.get(), want.get()), 0, "difference to 3000!");
  const std::string text = text_of(product);
  move();
  expect_eq(text, text_of(want), "3000! in base 62");
}

SURVIVE_CASE(gmp_modular_power_half_way) {
  Integer base, exponent, modulus, result(1), square, want;
  gmp_randstate_t random;  // Mersenne twister with state in the heap
  gmp_randinit_mt(random);
  gmp_randseed_ui(random, move.seed());
  mpz_urandomb(base.get(), random, 1000);
  mpz_urandomb(exponent.get(), random, 1000);
  mpz_urandomb(modulus.get(), random, 1000);
  mpz_setbit(modulus.get(), 1000);
  mpz_powm(want.get(), base.get(), exponent.get(), modulus.get());
  mpz_set(square.get(), base.get());
  for (mp_bitcnt_t bit = 0; bit < 1000; ++bit) {
    if (bit % 400 == 200) move();
    if (mpz_tstbit(exponent.get(), bit)) {
      mpz_mul(result.get(), result.get(), square.get());
      mpz_mod(result.get(), result.get(), modulus.get());
    }
    mpz_mul(square.get(), square.get(), square.get());
    mpz_mod(square.get(), square.get(), modulus.get());
  }
  expect_eq(text_of(result), text_of(want), "power");
  mpz_urandomb(base.get(), random, 5000);
  expect(mpz_sizeinbase(base.get(), 2) > 4900, "the generator goes on after the move");
  gmp_randclear(random);
}

SURVIVE_CASE(gmp_rationals_and_floats) {
  mpq_t sum, term;
  mpf_t root;
  mpq_inits(sum, term, nullptr);
  mpf_init2(root, 2000);
  mpf_sqrt_ui(root, 2);
  for (unsigned long i = 1; i <= 300; ++i) {
    mpq_set_ui(term, 1, i * (i + 1));  // the sum telescopes to n / (n + 1)
    mpq_add(sum, sum, term);
    if (i == 150) move();
  }
  expect_eq(mpq_cmp_ui(sum, 300, 301), 0, "difference to 300/301");
  mpf_mul(root, root, root);
  expect(std::abs(mpf_get_d(root) - 2) < 1e-15, "square of the root of 2");
  char* text = nullptr;
  gmp_asprintf(&text, "%Qd %.30Ff", sum, root);
  expect_contains(text, {"300/301 "});
  std::free(text);
  mpq_clears(sum, term, nullptr);
  mpf_clear(root);
}

}  // namespace
}  // namespace roam_test
