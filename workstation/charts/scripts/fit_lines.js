// Each panel's y range follows what is in sight of its columns.
const quiet = {sync: false}
const t = source.data.t
for (const {y, columns, least, zero, place} of panels) {
  let low = Infinity, high = -Infinity
  for (const name of columns) {
    const values = source.data[name]
    for (let i = 0; i < t.length; i++) {
      if (t[i] < x.start || t[i] > x.end || !isFinite(values[i])) continue
      if (values[i] < low) low = values[i]
      if (values[i] > high) high = values[i]
    }
  }
  if (!(high >= low)) continue
  if (zero) { low = Math.min(low, 0); high = Math.max(high, 0) }
  const middle = (low + high) / 2
  const half = Math.max((high - low) / 2, least / 2, Math.abs(middle) * 1e-6) * 1.1
  y.setv({start: middle - half, end: place == 'below' ? 0 : middle + half}, quiet)
}
