// A Lua interpreter, suspended in the middle of a script. See lua_error.cc for errors across a
// move.
#include <string>

#include "tests/support/check.h"
#include "tests/support/pattern.h"
#include "tests/support/random.h"
#include "tests/survive/case.h"
#include "tests/survive/cases/lua_state.h"

namespace roam_test {
namespace {

SURVIVE_CASE(lua_script_that_moves_in_a_callback) {
  LuaState lua(&move);
  const std::string script = R"(
    local words, sum = {}, 0
    for i = 1, 20000 do
      words[#words + 1] = "word " .. i .. string.rep("x", i % 50)
      sum = sum + #words[#words]
      if i % 8000 == 4000 then move() end
    end
    for i, word in ipairs(words) do
      assert(word == "word " .. i .. string.rep("x", i % 50))
    end
    collectgarbage()
    local hash = 5381
    for _, word in ipairs(words) do
      for k = 1, #word, 7 do hash = (hash * 33 + word:byte(k)) & 0xffffffff end
    end
    return sum .. " " .. hash
  )";
  const std::string got = lua.run(script);
  Mover still(Mode::stay, 0);
  LuaState other(&still);
  expect_eq(got, other.run(script), "result of the script");
}

SURVIVE_CASE(lua_coroutine_suspended_between_resumes) {
  LuaState lua(&move);
  lua_State* coroutine = lua_newthread(lua.get());
  expect_eq(luaL_loadstring(coroutine, R"(
    local made = setmetatable({}, {__index = function(t, k) return "missing " .. k end})
    local total = 0
    for i = 1, 10 do
      made["key" .. i] = string.format("%5.2f|%s", i / 3, ("abc"):rep(i))
      local add = coroutine.yield(made["key" .. i], made["no" .. i])
      total = total + add
    end
    return tostring(total), table.concat({string.byte("end", 1, -1)}, ",")
  )"),
            LUA_OK, "luaL_loadstring");
  int results = 0;
  for (int i = 1; i <= 10; ++i) {
    if (i > 1) lua_pushinteger(coroutine, i);
    expect_eq(lua_resume(coroutine, lua.get(), i > 1, &results), LUA_YIELD, "lua_resume");
    move();
    char number[16];
    snprintf(number, sizeof(number), "%5.2f|", i / 3.0);
    std::string want(number);
    for (int k = 0; k < i; ++k) want += "abc";
    expect_eq(std::string(lua_tostring(coroutine, -2)), want, "first value that it yielded");
    expect_eq(std::string(lua_tostring(coroutine, -1)), "missing no" + std::to_string(i),
              "second value that it yielded");
    lua_pop(coroutine, results);
    lua_gc(lua.get(), LUA_GCCOLLECT);
  }
  lua_pushinteger(coroutine, 11);
  expect_eq(lua_resume(coroutine, lua.get(), 1, &results), LUA_OK, "the last lua_resume");
  expect_eq(std::string(lua_tostring(coroutine, -2)), "65", "sum of what was passed in");
  expect_eq(std::string(lua_tostring(coroutine, -1)), "101,110,100", "bytes of a string");
}

// Userdata with finalisers, closures with upvalues, weak tables; then the interpreter ends
// elsewhere.
SURVIVE_CASE(lua_objects_of_every_kind) {
  LuaState lua(&move);
  expect_eq(lua.run(R"(
    count = 0
    local weak = setmetatable({}, {__mode = "v"})
    local function counter(step)
      local n = 0
      return function() n = n + step; return n end
    end
    by2, by3 = counter(2), counter(3)
    by2()
    for i = 1, 100 do
      local object = setmetatable({i}, {__gc = function() count = count + 1 end})
      weak[i] = object
      if i == 50 then kept = object end
    end
    return "made"
  )"),
            "made", "result of the first script");
  move();
  expect_eq(lua.run(R"(
    collectgarbage(); collectgarbage()
    move()
    return by2() .. " " .. by3() .. " " .. count .. " " .. kept[1] .. " " .. (7 // 2) .. " " .. 2^0.5
  )"),
            "4 3 99 50 3 1.4142135623731", "result of the second script");
}

SURVIVE_CASE(lua_errors_wholly_after_the_move) {
  LuaState lua(&move);
  lua.run("function bad(x) error({code = x}) end return ''");
  move();
  // Called with no C frame of Lua's from before the move.
  expect_eq(lua.run(R"(
    local ok, err = pcall(bad, 42)
    local ok2, text = pcall(function() return nil + 1 end)
    return tostring(ok) .. err.code .. tostring(ok2) .. (text:match("arithmetic") or "?")
  )"),
            "false42falsearithmetic", "what pcall gave");
}

}  // namespace
}  // namespace roam_test
