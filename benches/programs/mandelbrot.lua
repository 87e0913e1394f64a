local n, steps = 600, 50
local inside = 0
for y = 0, n - 1 do
  local ci = 2 * y / n - 1
  for x = 0, n - 1 do
    local cr = 2 * x / n - 1.5
    local zr, zi, rr, ii = 0.0, 0.0, 0.0, 0.0
    local step = 0
    while step < steps and rr + ii <= 4 do
      zi = 2 * zr * zi + ci
      zr = rr - ii + cr
      rr, ii = zr * zr, zi * zi
      step = step + 1
    end
    if step == steps then inside = inside + 1 end
  end
end
print(inside)
