// Prints, for the HTML files named, every feature that some client of Gmail, Outlook or Apple Mail does not support,
// as JSON: {feature: [client, …]}. Partial support is not listed.
import { readFileSync } from 'node:fs';
import { caniemail } from 'caniemail';

const found = {};
for (const file of process.argv.slice(2)) {
  const { issues } = caniemail({
    clients: ['gmail.*', 'outlook.*', 'apple-mail.*'],
    html: readFileSync(file, 'utf8'),
  });
  for (const [client, faults] of issues.errors)
    for (const { title } of faults) (found[title] ??= new Set()).add(client);
}
const rows = Object.entries(found).map(([feature, clients]) => [feature, [...clients].sort()]);
console.log(JSON.stringify(Object.fromEntries(rows.sort())));
