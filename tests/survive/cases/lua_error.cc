// Lua errors raised after the move and caught by a pcall that began before it: Lua jumps with
// longjmp to a jmp_buf that setjmp filled on the other rank.
#include <string>

#include "tests/support/check.h"
#include "tests/support/pattern.h"
#include "tests/support/random.h"
#include "tests/survive/case.h"
#include "tests/survive/cases/lua_state.h"

namespace roam_test {
namespace {

SURVIVE_CASE(lua_error_through_a_pcall_from_before_the_move, .group = Group::setjmp) {
  LuaState lua(&move);
  expect_eq(lua.run(R"(
    local log = {}
    local ok, err = pcall(function()
      local inner_ok, inner = pcall(function()
        move()
        error("after the move", 0)
      end)
      log[#log + 1] = tostring(inner_ok) .. " " .. inner
      move()
      error({text = "a table"})
    end)
    log[#log + 1] = tostring(ok) .. " " .. err.text
    return table.concat(log, "; ")
  )"),
            "false after the move; false a table", "what pcall gave");
}

SURVIVE_CASE(lua_coroutine_that_yields_across_a_move_inside_a_resume, .group = Group::setjmp) {
  LuaState lua(&move);
  expect_eq(lua.run(R"(
    local co = coroutine.wrap(function()
      for i = 1, 4 do
        move()
        coroutine.yield(i)  -- a jump to where the resume began, before the move
      end
      return 5
    end)
    local sum = 0
    for i = 1, 5 do sum = sum + co() end
    return tostring(sum)
  )"),
            "15", "sum of what the coroutine yielded");
}

}  // namespace
}  // namespace roam_test
