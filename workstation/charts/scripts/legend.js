// The bar under the crosshair, or the last one, in words and numbers.
const {t, o, h, l, c, v} = bars.data
if (t.length == 0) return
const at = typeof cb_obj.x == 'number' ? cb_obj.x : t[t.length - 1]
let low = 0, high = t.length - 1
while (low < high) {
  const middle = (low + high + 1) >> 1
  if (t[middle] <= at) low = middle; else high = middle - 1
}
const i = low
const text = s => String(s).replace(/[&<>"']/g, sign => `&#${sign.charCodeAt(0)};`)
const price = x => isFinite(x) ? x.toLocaleString('en-US', digits) : '–'
const before = i > 0 ? c[i - 1] : o[i]
const change = (c[i] / before - 1) * 100
const sign = change < 0 ? '▼ −' : change > 0 ? '▲ +' : ''
const clock = new Intl.DateTimeFormat('en-GB', {timeZone: zone == 'local' ? undefined : zone,
  day: 'numeric', month: 'short', year: interval < 3600000 ? undefined : 'numeric',
  ...(interval < 86400000 ? {hour: '2-digit', minute: '2-digit'} : {})})
const told = [
  [zone == 'local' ? 'time' : zone, clock.format(t[i]), 'time'],
  ['open', price(o[i]), ''], ['high', price(h[i]), ''], ['low', price(l[i]), ''], ['close', price(c[i]), ''],
  ['change', `${sign}${Math.abs(change).toFixed(2)} %`, change < 0 ? 'down' : change > 0 ? 'up' : ''],
  ['volume', v[i].toLocaleString('en-US', {maximumSignificantDigits: 5}), ''],
]
const rows = told.map(([name, value, kind]) => `<div><span>${name}</span><b class="${kind}">${value}</b></div>`)
names.forEach(label => rows.push(
  `<div><span style="color:${label.text_color}">${text(label.name)}</span><b>${price(lines.data[label.name][i])}</b></div>`))
legend.setv({text: rows.join('')}, {sync: false})
