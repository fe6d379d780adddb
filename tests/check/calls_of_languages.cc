// The run-time libraries of Fortran (calls_of_fortran.f90) and OpenMP.
#include <omp.h>

#include <numeric>
#include <vector>

#include "tests/check/library_calls.h"

extern "C" {
void fortran_texts();
void fortran_files();
void fortran_system();
void fortran_arrays();
}

namespace roam_test {
namespace {

const Call kCalls[] = {
    {"Fortran: internal units, namelists, errors", fortran_texts},
    {"Fortran: files of every form", fortran_files},
    {"Fortran: commands, clocks, random numbers", fortran_system},
    {"Fortran: arrays and texts", fortran_arrays},
    {"OpenMP: a region, a loop, a reduction",
     [] {
       std::vector<double> values(1000, 1.5);
       double sum = 0;
#pragma omp parallel for reduction(+ : sum) num_threads(3) schedule(dynamic, 10)
       for (std::size_t i = 0; i < values.size(); ++i) sum += values[i];
       use(sum);
     }},
    {"OpenMP: teams of other sizes, nested, with tasks",
     [] {
       int count = 0;
       for (int n : {2, 5, 1, 4}) {
#pragma omp parallel num_threads(n)
         {
#pragma omp single
           for (int i = 0; i < 20; ++i) {
#pragma omp task shared(count)
             {
#pragma omp atomic
               ++count;
             }
           }
#pragma omp barrier
#pragma omp parallel num_threads(2)
           {
#pragma omp critical
             ++count;
           }
         }
       }
       use(count);
     }},
    {"OpenMP: locks, sections, ordered, thread-private",
     [] {
       omp_lock_t lock;
       omp_nest_lock_t nested;
       omp_init_lock(&lock);
       omp_init_nest_lock(&nested);
       int n = 0;
#pragma omp parallel num_threads(3)
       {
         omp_set_lock(&lock);
         ++n;
         omp_unset_lock(&lock);
         omp_set_nest_lock(&nested);
         omp_unset_nest_lock(&nested);
#pragma omp for ordered
         for (int i = 0; i < 10; ++i) {
#pragma omp ordered
           n += i;
         }
#pragma omp sections
         {
#pragma omp section
           use(n);
#pragma omp section
           use(n);
         }
       }
       omp_destroy_lock(&lock);
       omp_destroy_nest_lock(&nested);
     }},
    {"OpenMP: questions and settings",
     [] {
       use(omp_get_max_threads());
       use(omp_get_num_procs());
       use(omp_get_wtime());
       omp_set_dynamic(1);
       omp_set_dynamic(0);
       omp_set_schedule(omp_sched_static, 4);
       use(omp_get_num_devices());
     }},
};

}  // namespace

std::span<const Call> calls_of_languages() { return kCalls; }

}  // namespace roam_test
