// What the pages do beyond links and forms. Everything is found by attributes; nothing is asked of another host.
"use strict";
(() => {
  const TICK_MS = 2000;
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];

  // Parts of a page that ask again by themselves listen to `tick`: it comes while somebody looks, and at once on return.
  const tick = () => { if (!document.hidden) document.body.dispatchEvent(new Event("tick")); };
  setInterval(tick, TICK_MS);
  document.addEventListener("visibilitychange", tick);

  // A stream says how it is. The dot's form and the words tell the same as its colour.
  const pulse = (state, text) => all("[data-pulse]").forEach((element) => {
    element.dataset.state = state;
    element.textContent = text;
  });
  document.addEventListener("htmx:sse:after:connection", () => pulse("live", "Live"));
  document.addEventListener("htmx:sse:close", () => pulse("lost", "Ended"));
  document.addEventListener("htmx:sse:error", (event) => {
    // The session has ended: the page then leads to the sign-in, and from there back.
    if (event.detail.status === 401) location.reload();
    pulse("lost", "Connection lost, trying again");
  });
  document.addEventListener("visibilitychange", () => { if (document.hidden) pulse("paused", "Paused"); });

  // A question comes as a part of a page and opens in front of it.
  document.addEventListener("htmx:after:swap", (event) => {
    const dialog = document.getElementById("dialog");
    if (event.detail.ctx.target === dialog && dialog.childElementCount && !dialog.open) dialog.showModal();
    selected();
  });
  document.addEventListener("click", (event) => {
    const on = (selector) => event.target.closest?.(selector);
    if (on("[data-close]")) { event.preventDefault(); on("dialog")?.close(); }
    if (on("[data-dismiss]")) on(".notice").remove();
    if (on("[data-theme-switch]")) { event.preventDefault(); switchTheme(); }
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") all("#notices .notice").forEach((notice) => notice.remove());
  });

  function switchTheme() {
    const root = document.documentElement;
    const isDark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = isDark ? "light" : "dark";
    const secure = location.protocol === "https:" ? "; Secure" : "";
    document.cookie = `seatline_theme=${root.dataset.theme}; Path=/console; Max-Age=31536000; SameSite=Strict${secure}`;
    document.dispatchEvent(new Event("theme"));
  }

  // A table of things that can be ticked: one box for all, and how many are.
  function selected() {
    all("[data-selection]").forEach((form) => {
      const boxes = all("input[name=id]", form);
      const count = boxes.filter((box) => box.checked).length;
      all("[data-selected]", form).forEach((element) => { element.textContent = count; });
      all("[data-needs-selection]", form).forEach((button) => { button.disabled = count === 0; });
      all("[data-all]", form).forEach((box) => {
        box.checked = boxes.length > 0 && count === boxes.length;
        box.indeterminate = count > 0 && count < boxes.length;
      });
    });
  }
  document.addEventListener("change", (event) => {
    const box = event.target;
    if (box.matches("[data-all]")) all("input[name=id]", box.form).forEach((one) => { one.checked = box.checked; });
    selected();
  });
  document.addEventListener("DOMContentLoaded", selected);

  // A tail keeps its newest rows; reading back pauses nothing. A stream may send again what stands here already.
  document.addEventListener("htmx:sse:after:message", () => all("[data-most]").forEach((list) => {
    const known = new Set();
    all("[data-event]", list).reverse().forEach((row) => {
      if (known.has(row.dataset.event)) row.remove();
      known.add(row.dataset.event);
    });
    while (list.childElementCount > Number(list.dataset.most)) list.lastElementChild.remove();
  }));
})();
