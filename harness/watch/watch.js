// Refreshes the page where something has changed, without a jump: what is open stays open, what is scrolled stays scrolled.
"use strict";

const root = document.documentElement;
const pause = Math.max(Number(root.dataset.seconds), 0.2) * 1000;
let timer;

function remember(part) {
  const open = [...part.querySelectorAll("details[open]")].map((one) => one.id);
  const scrolled = [...part.querySelectorAll(".scroll")].map((one) => one.scrollLeft);
  const focused = part.contains(document.activeElement) ? document.activeElement.closest("[id]")?.id : null;
  return { open, scrolled, focused };
}

function restore(part, kept) {
  for (const id of kept.open) document.getElementById(id)?.setAttribute("open", "");
  part.querySelectorAll(".scroll").forEach((one, i) => { one.scrollLeft = kept.scrolled[i] ?? 0; });
  const focused = kept.focused && document.getElementById(kept.focused);
  if (focused) (focused.querySelector("summary") ?? focused).focus({ preventScroll: true });
}

function keepReportScrolled(part, position) {
  const frame = part.querySelector("iframe");
  if (frame) frame.addEventListener("load", () => frame.contentWindow.scrollTo(0, position), { once: true });
}

function replace(part, next) {
  if (part.dataset.number !== undefined) {  // a frame, which is loaded anew only for a new report
    if (part.dataset.number === next.dataset.number) return;
    keepReportScrolled(next, part.querySelector("iframe")?.contentWindow.scrollY ?? 0);
    part.replaceWith(next);
    return;
  }
  const kept = remember(part);
  const now = part.cloneNode(true);
  now.querySelectorAll("details").forEach((one) => one.removeAttribute("open"));
  if (now.outerHTML === next.outerHTML) return;
  part.replaceWith(next);
  restore(next, kept);
}

async function refresh() {
  const answer = await fetch(location.pathname, { cache: "no-store" });
  if (!answer.ok) throw new Error(`the server answers ${answer.status}`);
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const part of document.querySelectorAll("[data-part]")) {
    const next = page.querySelector(`[data-part="${part.dataset.part}"]`);
    if (next) replace(part, document.adoptNode(next));
  }
}

function reading() {  // somebody is selecting text, which would be lost
  const selection = getSelection();
  return selection && !selection.isCollapsed;
}

async function look() {
  clearTimeout(timer);
  try {
    if (!document.hidden && !reading()) await refresh();
    root.classList.remove("lost");
  } catch {
    root.classList.add("lost");
    const moment = document.querySelector(".moment");
    if (!moment.textContent.startsWith("no answer")) moment.prepend("no answer any more; ");
  }
  timer = setTimeout(look, pause);
}

document.addEventListener("visibilitychange", () => { if (!document.hidden) look(); });
timer = setTimeout(look, pause);
