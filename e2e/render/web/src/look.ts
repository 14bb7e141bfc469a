// Looks at dashboards: node out/look.js ORDERS.json, where the orders say what to look at and where pictures go.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

import { build } from 'esbuild';
import { chromium } from 'playwright-core';

interface Orders {
  /** Directory of the version of Grafana's components. */
  grafana: string;
  chromium: string;
  looks: {
    name: string;
    /** Of the window, in pixels. */
    width: number;
    prometheus: string;
    to: number;
    from?: number;
    open: boolean;
    chosen?: Record<string, string>;
    caption?: string;
    dashboard: string;
    out: string;
    clip?: number;
  }[];
}

/** Bundles the page with a version of Grafana's components. */
async function bundle(grafana: string): Promise<string> {
  const root = resolve(__dirname, '..');
  const modules = join(root, grafana, 'node_modules');
  const result = await build({
    entryPoints: [join(root, 'src', 'page.tsx')],
    bundle: true,
    write: false,
    outfile: 'page.js',
    format: 'iife',
    platform: 'browser',
    target: 'chrome120',
    nodePaths: [modules],
    jsx: 'transform',
    mainFields: ['browser', 'main'],
    conditions: ['require'],
    logLevel: 'error',
    minify: false,
    define: { 'process.env.NODE_ENV': '"production"', global: 'window' },
    loader: { '.woff': 'dataurl', '.woff2': 'dataurl', '.svg': 'dataurl', '.ttf': 'dataurl', '.png': 'dataurl' },
    plugins: [
      {
        // The editor of code is as large as all the rest and on no dashboard.
        name: 'without the editor',
        setup(b) {
          b.onResolve({ filter: /^monaco-editor/ }, () => ({ path: 'monaco-editor', namespace: 'nothing' }));
          b.onLoad({ filter: /.*/, namespace: 'nothing' }, () => ({ contents: 'module.exports = {}' }));
        },
      },
      {
        // The components' modules are built for require: what is imported is asked for as if it were required.
        name: 'require',
        setup(b) {
          b.onResolve({ filter: /^(@grafana\/|rxjs|react)/ }, ({ path, kind, importer, resolveDir, pluginData }) => {
            if (pluginData === 'again' || kind === 'require-call') return undefined;
            return b.resolve(path, { kind: 'require-call', importer, resolveDir, pluginData: 'again' });
          });
        },
      },
    ],
  });
  const style = result.outputFiles.find(({ path }) => path.endsWith('.css'))?.text ?? '';
  const script = result.outputFiles.find(({ path }) => path.endsWith('.js'))!.text;
  return `<!doctype html><meta charset="utf-8"><style>${style}
*,*::before,*::after{box-sizing:border-box}
html{font-size:14px}
body{font-family:Inter,sans-serif;font-size:14px;line-height:1.5714;letter-spacing:.01071em;color:rgb(204,204,220);background:#111217}
button{font:inherit;color:inherit}ul{margin:0;padding:0;list-style:none}h2,h3,h6{font-size:14px;margin:0;font-weight:500}a{color:inherit}
</style><body><script>${script.replaceAll('</script', '<\\/script')}</script>`;
}

/** Before anything is painted: keeps what is written on canvases. */
const recorder = `
  const own = CanvasRenderingContext2D.prototype.fillText;
  CanvasRenderingContext2D.prototype.fillText = function (text, x, y, ...more) {
    (this.canvas.painted ??= []).push({ text: String(text), align: this.textAlign, x });
    return own.call(this, text, x, y, ...more);
  };
  const clear = CanvasRenderingContext2D.prototype.clearRect;
  CanvasRenderingContext2D.prototype.clearRect = function (...box) {
    if (box[2] >= this.canvas.width && box[3] >= this.canvas.height) this.canvas.painted = [];
    return clear.apply(this, box);
  };
`;

async function main(): Promise<void> {
  const orders = JSON.parse(readFileSync(process.argv[2]!, 'utf8')) as Orders;
  const html = await bundle(orders.grafana);
  const browser = await chromium.launch({
    executablePath: orders.chromium,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--disable-dev-shm-usage', // containers have little of it
      '--font-render-hinting=none',
      '--disable-web-security', // one page asks the Prometheus of each state
    ],
  });
  try {
    const context = await browser.newContext({ timezoneId: 'UTC', locale: 'en-US' });
    await context.addInitScript(recorder);
    await context.route('http://127.0.0.1/page', (route) => route.fulfill({ contentType: 'text/html', body: html }));
    // Icons, which Grafana's server has; here only their places matter.
    const icon = { contentType: 'image/svg+xml', body: '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24"/>' };
    await context.route('http://127.0.0.1/public/**', (route) => route.fulfill(icon));
    const page = await context.newPage();
    page.setDefaultTimeout(300_000);
    let complaints: string[] = [];
    page.on('pageerror', (error) => complaints.push(String(error)));
    await page.goto('http://127.0.0.1/page');
    for (const look of orders.looks) {
      const dashboard = JSON.parse(readFileSync(look.dashboard, 'utf8'));
      const { prometheus, to, from, open, chosen = {}, caption, width } = look;
      await page.setViewportSize({ width, height: 900 });
      const sight = await page.evaluate((order) => (window as any).show(order), {
        dashboard,
        prometheus,
        to,
        from,
        open,
        chosen,
        caption,
        width,
      });
      mkdirSync(dirname(look.out), { recursive: true });
      writeFileSync(`${look.out}.json`, JSON.stringify({ ...(sight as object), complaints }, null, 1));
      await page.screenshot({
        path: `${look.out}.png`,
        ...(look.clip ? { clip: { x: 0, y: 0, width, height: look.clip } } : { fullPage: true }),
      });
      complaints = [];
      console.log(`${look.name}: ${look.out}.png`);
    }
  } finally {
    await browser.close();
  }
}

main().catch((error: unknown) => {
  console.error(error);
  process.exit(1);
});
