// The y ranges follow the bars in sight, and the last price and the lines' names stand where they belong.
// sync: false, so that none of it is told to a server.
const quiet = {sync: false}
const {t, h, l, c, v, o} = bars.data
const last = t.length - 1
if (last < 0) return
// bars may come before the plot is laid out, and asking for what is not set raises
const width = plot.properties.inner_width.is_unset ? 0 : plot.inner_width
const is_narrow = width > 0 && width < 500
if (cb_obj === plot) {  // laid out, or turned
  words.text = {field: is_narrow ? 'short' : 'words'}
  // the newest bars, at 5 pixels or more each, until somebody zooms; the range remembers what it was given
  const is_untouched = x.fitted === undefined || Math.abs(x.end - x.start - x.fitted) < interval
  if (shown && width > 0 && is_untouched && x.end > t[last]) {
    const bars = Math.min(shown, Math.max(10, Math.floor(width / 5)))
    const start = t[Math.max(0, t.length - bars)] - interval, end = t[last] + interval * (1 + Math.max(2, bars / 10))
    x.fitted = end - start
    x.setv({start, end}, quiet)
  }
}
// whoever sees the newest bar goes on seeing it
const seen = last_seen.data.t[0]
if (t[last] > seen && x.start <= seen && seen <= x.end)
  x.setv({start: x.start + t[last] - seen, end: x.end + t[last] - seen}, quiet)
last_seen.data.t[0] = t[last]
let low = Infinity, high = -Infinity, most = 0
for (let i = 0; i <= last; i++) {
  if (t[i] + interval < x.start || t[i] > x.end) continue
  if (l[i] < low) low = l[i]
  if (h[i] > high) high = h[i]
  if (v[i] > most) most = v[i]
}
if (high >= low) {
  const span = high - low || Math.abs(high) * 0.001 || 1
  // a resting order nearby is brought into sight, a distant one does not flatten the bars
  for (const price of orders.data.price) {
    if (price < low && price > low - span) low = Math.min(low, price)
    if (price > high && price < high + span) high = Math.max(high, price)
  }
  const pad = (high - low || span) * 0.07
  y.setv({start: low - pad, end: high + pad}, quiet)
  volume_y.setv({start: 0, end: most * 1.1 || 1}, quiet)
}
const color = c[last] >= o[last] ? rise.palette[1] : rise.palette[0]
last_line.setv({location: c[last], line_color: color, visible: true}, quiet)
last_tag.setv({y: c[last], text: c[last].toLocaleString('en-US', digits), background_fill_color: color, visible: true}, quiet)
// names at the right end of the lines, kept apart by a line of text
const height = plot.properties.inner_height.is_unset ? plot.height : plot.inner_height
const per_pixel = (y.end - y.start) / (height || plot.height)
const ends = names.map(label => {
  const values = lines.data[label.name]
  return {label, value: values[values.length - 1]}
}).filter(end => isFinite(end.value)).sort((a, b) => b.value - a.value)
let above = Infinity
for (const {label, value} of ends) {
  const place = Math.min(value, above - 14 * per_pixel)
  above = place
  label.setv({x: t[last] + interval, y: place, visible: !is_narrow}, quiet)
}
