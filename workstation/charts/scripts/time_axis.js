// Dates where a day begins, else times; one look decides for all ticks. Nothing while nothing has been drawn.
if (range.start === 0 && range.end === 1) return ''
const day = 86400000
const step = ticks.length > 1 ? ticks[1] - ticks[0] : day
const shown = {timeZone: zone == 'local' ? undefined : zone}
const part = options => new Intl.DateTimeFormat('en-GB', {...shown, ...options}).format(tick)
const clock = part({hour: '2-digit', minute: '2-digit', ...(step < 60000 ? {second: '2-digit'} : {})})
if (step < day && !/^00:00(:00)?$/.test(clock)) return clock
const date = {day: 'numeric', month: 'short'}
if (step > 300 * day) return part({year: 'numeric'})
if (step > 27 * day || part(date) == '1 Jan') return part({month: 'short', year: 'numeric'})
return part(date)
