import { escapeXml } from './escapeXml.ts';

/** Colours that stay apart for those who see few, on white and on black (after Okabe & Ito, 2008). As many lines differ; more begin again. */
const light = ['#0072b2', '#d55e00', '#009e73', '#b8479b', '#8a6d00', '#3f8fd0', '#7a4fb5', '#555555'];
const dark = ['#56b4e9', '#ff9050', '#2fd0a0', '#f08cc8', '#e6c229', '#8fb8ff', '#bf9bff', '#b8b8b8'];
export const pageColors = light.length;

const variables = (colors: readonly string[]) =>
  colors.map((color, index) => `--c${index}:${color}`).join(';');

const style = `
:root{color-scheme:light dark;--back:#ffffff;--card:#f6f7f9;--ink:#1c2430;--soft:#5b6675;--line:#dfe3e8;--mark:#eef4fb;${variables(light)}}
@media (prefers-color-scheme:dark){:root{--back:#12161c;--card:#1a2029;--ink:#e6eaf0;--soft:#9aa6b5;--line:#2e3743;--mark:#1b2a3a;${variables(dark)}}}
*{box-sizing:border-box}
body{margin:0;background:var(--back);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}
main{max-width:1180px;margin:0 auto;padding:32px 24px 64px}
h1{font-size:26px;line-height:1.25;margin:0 0 4px}
h2{font-size:18px;margin:40px 0 12px}
p.under{color:var(--soft);margin:0 0 24px}
.choice{background:var(--mark);border-left:4px solid var(--c0);border-radius:4px;padding:16px 20px}
.choice h2{margin:0 0 8px}
.choice ul,.notes{margin:0;padding-left:20px}
.choice li,.notes li{margin:4px 0}
.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-size:13.5px;font-variant-numeric:tabular-nums}
th,td{text-align:right;padding:7px 8px;border-bottom:1px solid var(--line);white-space:nowrap}
th{color:var(--soft);font-weight:600}
th:first-child,td:first-child{text-align:left}
th.text{text-align:left}
td.why{text-align:left;white-space:normal;color:var(--soft)}
tr.chosen td{background:var(--mark);font-weight:600}
.dot{display:inline-block;width:10px;height:10px;border-radius:50%;margin-right:8px}
figure{margin:0 0 28px;background:var(--card);border-radius:8px;padding:16px}
figcaption{font-weight:600;margin-bottom:8px}
svg{display:block;width:100%;height:auto}
svg text{fill:var(--soft);font-size:12px}
svg text.label{font-size:12.5px}
svg .grid{stroke:var(--line)}
svg .axis,svg .tick{stroke:var(--soft)}
svg line.level{stroke:var(--soft);stroke-dasharray:5 4}
svg .seed{fill:none;stroke-width:1;opacity:.4}
svg .mean{fill:none;stroke-width:2.2;stroke-linejoin:round}
svg .leader{fill:none;stroke-width:.8;stroke-dasharray:1 4;opacity:.7}
dl{display:grid;grid-template-columns:max-content 1fr;gap:4px 20px;margin:0;font-size:14px}
dt{color:var(--soft)}dd{margin:0;overflow-wrap:anywhere}
${light.map((_, index) => `svg polyline.c${index}{stroke:var(--c${index})}svg circle.c${index},svg text.c${index}{fill:var(--c${index})}.dot.c${index}{background:var(--c${index})}`).join('\n')}
`;

/** A whole page of HTML that needs nothing else: no script, no font, no picture from elsewhere. `body` is HTML. */
export function page(title: string, body: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeXml(title)}</title>
<style>${style}</style>
</head>
<body>
<main>
${body}
</main>
</body>
</html>
`;
}

/** Names and values, one below the other. */
export function definitions(rows: readonly (readonly [string, string])[]): string {
  return `<dl>${rows.map(([name, value]) => `<dt>${escapeXml(name)}</dt><dd>${escapeXml(value)}</dd>`).join('')}</dl>`;
}
