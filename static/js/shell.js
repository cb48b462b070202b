// What the frame does beyond links: theme, jump key, menus, copying. Pages work without it.
const root = document.documentElement;

function typing(target) {
  return target.closest("input, textarea, select, [contenteditable]") !== null;
}

// --- theme: system, dark, light, and round again
const THEMES = ["system", "dark", "light"];
const themeButton = document.querySelector("[data-theme-switch]");
function nameTheme() {
  const named = themeButton.dataset[root.dataset.theme || "system"]; // words come with the page
  themeButton.setAttribute("aria-label", named);
  themeButton.title = named;
}
if (themeButton) {
  themeButton.hidden = false;
  nameTheme();
  themeButton.addEventListener("click", () => {
    const now = root.dataset.theme || "system";
    const next = THEMES[(THEMES.indexOf(now) + 1) % THEMES.length];
    if (next === "system") delete root.dataset.theme;
    else root.dataset.theme = next;
    try {
      if (next === "system") localStorage.removeItem("theme");
      else localStorage.setItem("theme", next);
    } catch { /* lasts for this page */ }
    nameTheme();
  });
}

// --- keys: / goes to the jump box, unless the page has a search of its own; Escape closes what is open
const jump = document.querySelector(".jump input");
document.addEventListener("keydown", (event) => {
  const wanted = event.key === "/" && !typing(event.target) && !event.ctrlKey && !event.metaKey &&
    document.body.dataset.keys !== "off" && !document.querySelector("dialog[open]");
  if (jump && wanted && !document.querySelector('[data-key="/"]')) {
    event.preventDefault();
    jump.focus();
    jump.select();
  }
  if (event.key === "Escape") closeMenus(null, true);
});

// --- menus close when one clicks elsewhere
function closeMenus(except, refocus = false) {
  for (const menu of document.querySelectorAll("details[data-menu][open]")) {
    if (menu === except || menu.contains(except)) continue;
    menu.open = false;
    if (refocus) menu.querySelector("summary").focus();
  }
}
document.addEventListener("click", (event) => closeMenus(event.target));

// --- what is shown once can be copied with one click
for (const button of document.querySelectorAll("[data-copy]")) {
  if (!navigator.clipboard) continue;
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
    button.textContent = button.dataset.copied;
  });
}

// --- a form that was sent is not sent again by a second click
document.addEventListener("submit", (event) => {
  if (event.defaultPrevented || event.target.method !== "post") return;
  const sender = event.submitter;
  // After this event: a disabled button would not send its own value.
  if (sender) setTimeout(() => { sender.disabled = true; sender.dataset.sent = ""; }, 0);
});
addEventListener("pageshow", (event) => {
  if (event.persisted) for (const b of document.querySelectorAll("[data-sent]")) b.disabled = false;
});

// --- what scrolls can be scrolled by keyboard, whatever made its content too wide today
function reachScrolled() {
  for (const region of document.querySelectorAll(".panel, .scroll, .tall, .short")) {
    const scrolls = region.scrollWidth > region.clientWidth || region.scrollHeight > region.clientHeight;
    const hides = scrolls && /auto|scroll/.test(getComputedStyle(region).overflow);
    if (hides && !region.hasAttribute("tabindex")) region.tabIndex = 0;
  }
}
reachScrolled();
addEventListener("resize", reachScrolled);
document.addEventListener("htmx:afterSettle", reachScrolled);
document.addEventListener("page:shown", reachScrolled);
document.fonts?.ready.then(reachScrolled);
