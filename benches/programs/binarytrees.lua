local function build(depth)
  if depth == 0 then return {} end
  return { build(depth - 1), build(depth - 1) }
end

local function count(t)
  if not t[1] then return 1 end
  return 1 + count(t[1]) + count(t[2])
end

local smallest, deepest = 4, 16
print("stretch", count(build(deepest + 1)))
local kept = build(deepest)
for depth = smallest, deepest, 4 do
  local rounds, total = 1 << (deepest - depth + smallest), 0
  for _ = 1, rounds do total = total + count(build(depth)) end
  print(rounds, "trees of depth", depth, "nodes", total)
end
print("kept", count(kept))
