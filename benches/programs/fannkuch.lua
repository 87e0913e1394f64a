local n = 9
local perm, flipped, counts = {}, {}, {}
for i = 0, n - 1 do perm[i] = i end
local most, checksum, sign = 0, 0, 1
local left = n
while true do
  while left > 1 do counts[left - 1] = left; left = left - 1 end
  if perm[0] ~= 0 then
    for i = 0, n - 1 do flipped[i] = perm[i] end
    local flips, first = 0, flipped[0]
    while first ~= 0 do
      local i, j = 0, first
      while i < j do
        flipped[i], flipped[j] = flipped[j], flipped[i]
        i, j = i + 1, j - 1
      end
      flips = flips + 1
      first = flipped[0]
    end
    if flips > most then most = flips end
    checksum = checksum + sign * flips
  end
  sign = -sign
  while true do
    if left == n then
      print(checksum, most)
      return
    end
    local first = perm[0]
    for i = 0, left - 1 do perm[i] = perm[i + 1] end
    perm[left] = first
    counts[left] = counts[left] - 1
    if counts[left] > 0 then break end
    left = left + 1
  end
end
