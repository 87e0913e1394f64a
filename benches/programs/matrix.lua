local function build(n, seed)
  local m = {}
  local t = seed / n / n
  for i = 0, n - 1 do
    local row = {}
    for j = 0, n - 1 do row[j + 1] = t * (i - j) * (i + j) end
    m[i + 1] = row
  end
  return m
end
local function product(a, b)
  local n, p = #a, #b[1]
  local c = {}
  for i = 1, n do
    local row, ai = {}, a[i]
    for j = 1, p do row[j] = 0.0 end
    for k = 1, #ai do
      local aik, bk = ai[k], b[k]
      for j = 1, p do row[j] = row[j] + aik * bk[j] end
    end
    c[i] = row
  end
  return c
end
local n = 300
local c = product(build(n, 1), build(n, 2))
print(string.format("%.6f", c[n // 2 + 1][n // 2 + 1]))
