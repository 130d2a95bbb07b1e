// A value as everywhere on a page, with a true minus; nothing while nothing has been drawn.
if (range.start === 0 && range.end === 1) return ''
return tick.toLocaleString('en-US', digits).replace('-', '−')
