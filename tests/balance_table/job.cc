// Eight members whose loads are 1 to 8 and who send to the next; the last is pinned. They balance
// twice.
#include <roam/roam.h>

#include <optional>
#include <vector>

int main(int argc, char** argv) {
  return roam::run(argc, argv, [] {
    roam::spawn_team(8, [] {
      const roam::Team team = roam::Team::current();
      std::optional<roam::this_thread::Pin> pin;
      if (team.index() == 7) pin.emplace();
      for (int step = 0; step < 2; ++step) {
        const std::vector<char> word(100);
        std::vector<char> got(100);
        team.send((team.index() + 1) % 8, 0, word);
        team.recv((team.index() + 7) % 8, 0, got);
        roam::this_thread::set_load(team.index() + 1);
        team.balance();
      }
    }).join();
  });
}
