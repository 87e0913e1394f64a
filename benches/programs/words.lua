local syllables = { "ka", "lo", "mi", "ne", "ru", "sa", "to", "vi" }
local seed = 1
local function next_(n)
  seed = (seed * 1664525 + 1013904223) & 0xffffffff
  return (seed >> 16) % n
end
local parts = {}
for _ = 1, 300000 do
  for _ = 1, 1 + next_(4) do parts[#parts + 1] = syllables[1 + next_(#syllables)] end
  parts[#parts + 1] = " "
end
local text = table.concat(parts)
local counts, longest = {}, ""
for word in text:gmatch("%S+") do
  counts[word] = (counts[word] or 0) + 1
  if #word > #longest then longest = word end
end
local words = {}
for word in pairs(counts) do words[#words + 1] = word end
table.sort(words, function(a, b)
  if counts[a] ~= counts[b] then return counts[a] > counts[b] end
  return a < b
end)
for i = 1, 5 do print(words[i], counts[words[i]]) end
local _, n = text:upper():gsub("SA", "")
print(#words, longest, n)
