/** The look of a report: by day, by night, on a phone and on paper. */
export const style = `
:root {
  color-scheme: light dark;
  --paper: #fff; --ink: #1c2430; --soft: #566070; --rule: #cfd6df; --panel: #f5f7fa;
  --one: #1d5fbf; --two: #a85200; --three: #0f7a4d; --four: #7a3db8; --five: #c0242c; --limit: #566070;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #12161c; --ink: #e4e9f0; --soft: #a3aebd; --rule: #39424f; --panel: #1b212a;
    --one: #7fb2ff; --two: #f2b06a; --three: #66d19e; --four: #cda4ff; --five: #ff8f8f; --limit: #a3aebd;
  }
}
* { box-sizing: border-box }
body { margin: 0 auto; padding: 1rem; max-width: 72rem; background: var(--paper); color: var(--ink);
  font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", sans-serif; overflow-wrap: anywhere }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0 0 .5rem }
h2 { font-size: 1.2rem; margin: 2rem 0 .5rem }
h3 { font-size: 1rem; margin: 0 0 .25rem }
.ending { font-size: 1.1rem; margin: 0 0 1rem; padding: .6rem .9rem; background: var(--panel); border-left: .35rem solid var(--three) }
.ending.bad { border-color: var(--five) }
dl { display: grid; grid-template-columns: auto 1fr; gap: .15rem 1rem; margin: 0 }
dt { color: var(--soft) }
dd { margin: 0 }
pre { background: var(--panel); padding: .75rem; overflow-x: auto; font-size: .85rem; white-space: pre-wrap }
.scroll { overflow-x: auto; margin: .75rem 0 }
table { border-collapse: collapse; width: 100%; font-size: .9rem }
caption { text-align: left; color: var(--soft); padding: .25rem 0 }
th, td { text-align: left; vertical-align: top; padding: .3rem .75rem .3rem 0; border-bottom: 1px solid var(--rule);
  font-weight: normal; overflow-wrap: normal }
thead th { color: var(--soft); vertical-align: bottom }
tbody th { font-weight: 600 }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap }
thead .number { white-space: normal }
.role, .why { font-weight: normal; color: var(--soft) }
.why { overflow-wrap: anywhere }
.charts { display: grid; gap: 1.5rem; grid-template-columns: repeat(auto-fit, minmax(min(100%, 22rem), 1fr)) }
figure { margin: 0; min-width: 0 }
figure > svg { display: block; width: 100%; height: auto }
.axes path { stroke: var(--rule); fill: none }
.axes text { fill: var(--soft); font-size: 11px }
.line { fill: none; stroke-width: 2; stroke-linejoin: round }
.band { stroke: none; opacity: .2 }
.line.one { stroke: var(--one) }
.line.two { stroke: var(--two); stroke-dasharray: 6 3 }
.line.three { stroke: var(--three); stroke-dasharray: 2 3 }
.line.four { stroke: var(--four); stroke-dasharray: 9 3 2 3 }
.line.five { stroke: var(--five); stroke-width: 3 }
.line.limit { stroke: var(--limit); stroke-dasharray: 3 4; stroke-width: 1.5 }
.band.one, .dot.one, rect.one { fill: var(--one) }
.band.two, .dot.two { fill: var(--two) }
.band.three, .dot.three { fill: var(--three) }
.band.four, .dot.four { fill: var(--four) }
.band.five, .dot.five, rect.five { fill: var(--five) }
.band.limit, .dot.limit { fill: var(--limit) }
.legend li { padding-left: 2rem; text-indent: -2rem }
.legend { list-style: none; margin: .25rem 0; padding: 0; font-size: .85rem; color: var(--soft) }
.key { width: 1.5rem; height: .5rem; margin-right: .5rem; vertical-align: middle }
.bar { display: block; width: 100%; min-width: 5rem; height: .8rem; margin-top: .35rem; background: var(--panel) }
.pale { opacity: .35 }
details { margin: .5rem 0 }
summary { cursor: pointer; color: var(--soft) }
.events { padding-left: 0; list-style: none; margin: 0 }
.events li { display: grid; grid-template-columns: 5.5rem 1fr; padding: .2rem 0; border-bottom: 1px solid var(--rule) }
.events .at { color: var(--soft) }
.events b { font-weight: 600 }
footer { margin-top: 2.5rem; color: var(--soft); font-size: .85rem }
:focus-visible { outline: 2px solid var(--one); outline-offset: 2px }
@media (max-width: 30rem) {
  th, td { padding-right: .5rem }
  dl { grid-template-columns: 1fr; gap: 0 }
  dd { margin-bottom: .4rem }
}
@media print {
  :root { color-scheme: light;
    --paper: #fff; --ink: #000; --soft: #333; --rule: #999; --panel: #fff;
    --one: #1d5fbf; --two: #a85200; --three: #0f7a4d; --four: #7a3db8; --five: #c0242c; --limit: #333 }
  html { font-size: 10pt }
  body { max-width: none; padding: 0 }
  .scroll { overflow: visible }
  .charts { grid-template-columns: 1fr 1fr }
  figure, tr, li { break-inside: avoid }
  h2, h3 { break-after: avoid }
  figure details { display: none }
}
`
