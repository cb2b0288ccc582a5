// The desk by keyboard. Without this file everything still works; with it, hands stay on the keys.
(() => {
  "use strict";
  const find = (selector, root = document) => root.querySelector(selector);
  const rows = () => [...document.querySelectorAll("[data-row]")];
  let place = -1;
  let placeId = "";

  const here = () => (placeId && document.getElementById(placeId)) || rows()[place] || null;

  function go(step) {
    const all = rows();
    if (!all.length) return;
    const now = all.indexOf(here());
    place = Math.min(Math.max(now + step, 0), all.length - 1);
    mark(all[place]);
  }

  function mark(row) {
    rows().forEach((other) => other.classList.toggle("here", other === row));
    if (!row) return;
    placeId = row.id;
    row.scrollIntoView({ block: "nearest" });
    (row.matches("[tabindex]") ? row : find("[data-open]", row))?.focus({ preventScroll: true });
  }

  const press = (selector) => find(selector, here() || document.createElement("p"))?.click();
  const act = (...steps) => () => steps.some((step) => {
    const button = find(`button[name="do"][value="${step}"]`, here() || document.createElement("p"));
    if (!button || button.disabled) return false;
    button.click();
    return true;
  });

  const keys = {
    j: () => go(1),
    k: () => go(-1),
    o: () => press("[data-open]"),
    w: () => press(".why > summary"),
    p: act("pin", "unpin"),
    x: act("drop"),
    K: act("up"),
    J: act("down"),
    e: () => {
      press(".edit > summary");
      find(".edit[open] input[name='headline']", here() || document)?.select();
    },
    u: () => find("#undo")?.click(),
    a: () => find("#approve")?.focus(),
    g: () => location.assign("/desk"),
    "?": () => find("#shortcuts")?.showModal(),
  };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape") {
      const open = event.target.closest?.("details[open]");
      if (open) { open.open = false; mark(open.closest("[data-row]")); }
      return;
    }
    if (event.target.closest?.("input, textarea, select, dialog[open]")) return;
    const view = find(`[data-view="${CSS.escape(event.key)}"]`);
    const opens = event.key === "Enter" && event.target.matches?.("[data-row]");
    const step = view ? () => view.click() : opens ? keys.o : keys[event.key];
    if (!step) return;
    event.preventDefault();
    step();
  });

  document.addEventListener("focusin", (event) => {
    const row = event.target.closest?.("[data-row]");
    if (row && row !== here()) { placeId = row.id; place = rows().indexOf(row); rows().forEach((other) => other.classList.toggle("here", other === row)); }
  });

  // A swap brings fresh rows: stay at the story, or at its place if it is gone.
  document.addEventListener("htmx:after:swap", () => { if (place >= 0 || placeId) mark(here()); });
  // A form that ran out, or a server that failed: show the page as it is rather than a page that lies.
  document.addEventListener("htmx:response:error", () => location.reload());

  const help = find("[data-shortcuts]");
  if (help) {
    help.hidden = false;
    help.addEventListener("click", () => find("#shortcuts").showModal());
  }
})();
