// The public API over several ranks: scenarios of the other files, one after the other in one job.
#include "tests/support/scenario.h"

int main(int argc, char** argv) { return roam_test::run_scenarios(argc, argv); }
