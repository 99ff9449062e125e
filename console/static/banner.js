/* Shows what GET /v1/banner/{customer} has answered: a banner above the page, or a wall before it.
   Needs no library, no inline style and no HTML from anywhere. docs/banner.md tells how it is put in a page. */
(() => {
  "use strict";

  const { src, wall, billing, signOut } = document.currentScript?.dataset ?? {};
  const ALERTED_AFTER = 100; // milliseconds: screen readers must know a live region before it speaks

  const STYLE = `
    :host { all: initial; display: block; color-scheme: inherit; font-family: inherit; }
    * { box-sizing: border-box; }
    .banner, dialog { color: #5b4300; background: #fdf3d7; color: light-dark(#5b4300, #f3e3b0);
      background: light-dark(#fdf3d7, #3a3217); font-size: 1rem; line-height: 1.5; overflow-wrap: anywhere; }
    .banner:not(.warned) { color: #7a1f10; background: #fdeae6; color: light-dark(#7a1f10, #ffd9d1);
      background: light-dark(#fdeae6, #43201a); }
    .banner { display: flex; flex-wrap: wrap; align-items: center; gap: .5rem 1rem; padding: .75rem 1rem;
      border-block-end: 1px solid; border-color: color-mix(in srgb, currentcolor 30%, transparent); }
    p { flex: 1 1 16rem; margin: 0; text-wrap: pretty; }
    .deeds { display: flex; flex-wrap: wrap; gap: .5rem; }
    a, button { display: inline-block; min-height: 2.75rem; padding: .625rem 1rem; border: 1px solid;
      border-radius: .5rem; color: inherit; background: none; font: inherit; line-height: 1.4; text-align: center;
      text-decoration: none; cursor: pointer; }
    .main { font-weight: 600; text-decoration: underline; text-underline-offset: .15em; }
    :hover { text-decoration-thickness: .15em; }
    :focus-visible { outline: 3px solid; outline-offset: 2px; }
    dialog { width: 30rem; max-width: calc(100% - 2rem); max-height: calc(100% - 2rem); padding: 2rem 1.5rem;
      border: 0; border-radius: .75rem; color: #1d2430; background: #fff; color: light-dark(#1d2430, #f1f3f5);
      background: light-dark(#fff, #1f2329); }
    dialog::backdrop { background: light-dark(#1d2430, #0b0d10); opacity: .93; }
    dialog p { margin: 0 0 1.5rem; font-size: 1.1875rem; font-weight: 600; }
    dialog .deeds > * { flex: 1 1 auto; }
    dialog .main { border-color: transparent; color: #fff; background: #1d2430; text-decoration: none;
      color: light-dark(#fff, #1d2430); background: light-dark(#1d2430, #f1f3f5); }
    @media (prefers-reduced-motion: no-preference) {
      .banner, dialog { animation: come .2s ease-out; }
      @keyframes come { from { opacity: 0; transform: translateY(-.5rem); } }
    }
    @media print { :host { display: none; } }`;

  /* Only what a link may lead to: an address with `javascript:` would be run. */
  const address = (given) => {
    if (!given) return null;
    const url = new URL(given, document.baseURI);
    return url.protocol === "https:" || url.protocol === "http:" ? url.href : null;
  };

  const element = (name, properties, ...children) => {
    const made = Object.assign(document.createElement(name), properties);
    made.append(...children.filter(Boolean));
    return made;
  };

  const link = (href, textContent, className) =>
    href && element("a", { href, textContent, className, rel: "noreferrer" });

  /* A page may be kept from storing anything; then a closed banner comes back with the next page. */
  const memory = (use) => {
    try {
      return use(sessionStorage);
    } catch (error) {
      if (error instanceof DOMException) return null;
      throw error;
    }
  };

  const banner = (said, root, host) => {
    const closed = `dunning.${said.customer}.${said.level}.${said.deadline}`;
    if (memory((store) => store.getItem(closed))) return;
    let before = null;
    const close = () => {
      memory((store) => store.setItem(closed, "1"));
      host.remove();
      before?.focus();
    };
    const words = element("p", { id: "words" });
    words.setAttribute("role", said.level === "warned" ? "status" : "alert");
    const box = element(
      "section",
      { className: `banner ${said.level}` },
      words,
      element(
        "div",
        { className: "deeds" },
        link(address(said.link ?? billing), said.labels.link, "main"),
        element("button", { type: "button", textContent: said.labels.close, onclick: close }),
      ),
    );
    box.setAttribute("aria-labelledby", "words");
    box.addEventListener("keydown", (event) => event.key === "Escape" && close());
    box.addEventListener("focusin", (event) => (before ??= event.relatedTarget));
    root.append(box);
    document.body.prepend(host);
    setTimeout(() => (words.textContent = said.text), ALERTED_AFTER);
  };

  const block = (said, root, host) => {
    const words = element("p", { id: "words", textContent: said.text });
    const deeds = element(
      "div",
      { className: "deeds" },
      link(address(said.link ?? billing), said.labels.link, "main"),
      link(address(signOut), said.labels.leave),
    );
    const dialog = element("dialog", { tabIndex: -1 }, words, deeds);
    dialog.setAttribute("aria-labelledby", "words");
    // The page behind a modal dialog is inert by itself. Escape must not open what is closed: browsers that do
    // not know `closedby` yet send `cancel`, and the second time nothing but `close`.
    dialog.setAttribute("closedby", "none");
    dialog.addEventListener("cancel", (event) => event.preventDefault());
    dialog.addEventListener("close", () => dialog.showModal());
    root.append(dialog);
    document.body.append(host);
    document.documentElement.style.overflow = "hidden";
    dialog.showModal();
  };

  const show = (said) => {
    const form = said.show === "wall" && wall === "off" ? "banner" : said.show;
    if (!form) return;
    const host = element("dunning-notice", { lang: said.lang, dir: said.dir });
    const root = host.attachShadow({ mode: "open" });
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(STYLE);
    root.adoptedStyleSheets = [sheet];
    (form === "wall" ? block : banner)(said, root, host);
  };

  const start = async () => {
    const inline = document.getElementById("dunning-banner");
    if (inline) return show(JSON.parse(inline.textContent));
    if (!src) return;
    const answer = await fetch(src, { headers: { accept: "application/json" } });
    // No answer shows nothing: an outage must not lock out somebody who pays.
    if (answer.ok) show(await answer.json());
  };

  if (document.readyState === "loading") addEventListener("DOMContentLoaded", start, { once: true });
  else start();
})();
