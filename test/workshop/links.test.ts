/* Every link of the pages to a file or a heading of the house leads there. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { expect, test } from 'vitest';

const root = join(import.meta.dirname, '../..');
const pages = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '*.md'], {
  cwd: root,
  encoding: 'utf8',
})
  .split('\n')
  .filter((page) => page !== '' && existsSync(join(root, page)));

/** Without what stands in code, where brackets are no links. */
function prose(page: string): string {
  return readFileSync(page, 'utf8')
    .replace(/^```.*?^```/gms, '')
    .replace(/`[^`\n]*`/g, 'code');
}

/** The names by which GitHub links to the headings of a page. */
function anchors(page: string): string[] {
  const text = readFileSync(page, 'utf8').replace(/^```.*?^```/gms, '');
  const names = [...text.matchAll(/^#+ +(.+)$/gm)].map(([, heading]) =>
    heading
      .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .trim()
      .replace(/\s/g, '-'),
  );
  // A heading that is there again has a number.
  return names.map((name, index) => {
    const before = names.slice(0, index).filter((other) => other === name).length;
    return before === 0 ? name : `${name}-${before}`;
  });
}

/** What is wrong with the links of a page; nothing, if all is well. */
function brokenLinks(page: string): string[] {
  const links = [...prose(page).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link]) => link);
  return links
    .filter((link) => !/^[a-z]+:/.test(link))
    .filter((link) => {
      const [path, anchor] = link.split('#');
      const target = path === '' ? page : join(dirname(page), path);
      if (!existsSync(target) || relative(root, target).startsWith('..')) return true;
      return anchor !== undefined && !anchors(target).includes(anchor);
    });
}

test('there are pages, and they have links', () => {
  expect(pages.length).toBeGreaterThan(20);
  expect(pages.flatMap((page) => prose(join(root, page)).match(/\]\(/g) ?? []).length).toBeGreaterThan(100);
});

test('every link leads to something', () => {
  const broken = pages.map((page) => [page, brokenLinks(join(root, page))] as const);
  expect(broken.filter(([, links]) => links.length > 0)).toEqual([]);
});
