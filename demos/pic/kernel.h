#ifndef DEMOS_PIC_KERNEL_H_
#define DEMOS_PIC_KERNEL_H_

#include <cstdint>
#include <span>

// Charged particles above a periodic grid of unit cells with a fixed charge at each vertex: +1 in
// the columns of even x, -1 in those of odd x.
//
//     +---(-)---+---(-)      A particle at the centre of a cell, with the charge that at_centre()
//     |  o  |       |        gives it, is pulled exactly 2k+1 cells to the right in a step, slows
//     +---(-)---+---(-)      down to rest in the next, which takes it 2k+1 cells further, and so
//     0     1   2    3       on: where it is after any number of steps is known in closed form.
//
// Source: Georganas, Van der Wijngaart, Mattson, IPDPS 2016 (Parallel Research Kernels).

// Mass 1. Units: cells and steps.
struct Particle {
  double x, y;
  double vx, vy;
  double charge;
  std::uint32_t birth_x, birth_y;  // the cell that it started in
};
static_assert(sizeof(Particle) == 48);

// A particle at rest in x at the centre of cell (x, y), with speed m in y, and the charge that
// moves it 2k+1 cells a step.
Particle at_centre(int x, int y, int k, int m);

// One step of all: x and y advance by v + a/2 and wrap modulo `cells`, then v by a, where a is the
// Coulomb force of the four charges at the corners of a particle's cell. REQUIRES: 2k+1 and m are
// less than `cells`, which is even.
void push(std::span<Particle> particles, int cells);

// Whether `particle` is, within 1e-6, where it must be after `moves` steps.
bool is_in_place(const Particle& particle, long moves, int k, int m, int cells);

// Of every bit of a particle. Sums of it, in whatever order, tell whether two runs ended with the
// same particles to the last bit.
std::uint64_t checksum(const Particle& particle);

#endif  // DEMOS_PIC_KERNEL_H_
