// The row under the crosshair, or the last one, in words and numbers.
const t = source.data.t
if (t.length == 0) return
const at = typeof cb_obj.x == 'number' ? cb_obj.x : t[t.length - 1]
let low = 0, high = t.length - 1
while (low < high) {
  const middle = (low + high + 1) >> 1
  if (t[middle] <= at) low = middle; else high = middle - 1
}
const text = s => String(s).replace(/[&<>"']/g, sign => `&#${sign.charCodeAt(0)};`)
const clock = new Intl.DateTimeFormat('en-GB', {timeZone: zone == 'local' ? undefined : zone,
  day: 'numeric', month: 'short', year: seconds ? undefined : 'numeric', hour: '2-digit', minute: '2-digit', second: seconds ? '2-digit' : undefined})
const told = rows.map(({name, column, decimals, unit, signed}, place) => {
  const value = source.data[column][low]
  const number = Math.abs(value).toLocaleString('en-US', {minimumFractionDigits: decimals, maximumFractionDigits: decimals})
  const sign = value < 0 ? '−' : signed && value > 0 ? '+' : ''
  const color = inks[place] ? ` style="color:${inks[place].line_color.value}"` : ''
  const shown = isFinite(value) ? `${sign}${number} ${unit}` : '–'
  return `<div><span${color}>${text(name)}</span><b>${text(shown)}</b></div>`
})
const time = `<div><span>${zone == 'local' ? 'time' : text(zone)}</span><b class="time">${clock.format(t[low])}</b></div>`
legend.setv({text: time + told.join('')}, {sync: false})
