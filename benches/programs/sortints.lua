local n = 1000000
local a, b = {}, {}
local seed = 1
for i = 1, n do
  seed = seed * 6364136223846793005 + 1442695040888963407
  a[i] = seed >> 33
  b[i] = a[i]
end
table.sort(a)
table.sort(b, function(x, y) return x < y end)
print(a[1], a[n // 2 + 1], a[n], b[1] == a[1], b[n // 2 + 1] == a[n // 2 + 1], b[n] == a[n])
