"use strict";
// All of the page works without this: it adds buttons, and opens what is closed before printing.
(() => {
  const said = document.getElementById("page:said");
  const button = (label, name, act) => {
    const made = document.createElement("button");
    made.type = "button";
    made.textContent = label;
    if (name) made.setAttribute("aria-label", name);
    made.addEventListener("click", () => act(made));
    return made;
  };

  const copied = async (text, block) => {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      // No clipboard here, or no leave to use it: what is selected can be copied by hand at least.
      getSelection().selectAllChildren(block);
      return document.execCommand("copy");
    }
  };
  for (const block of document.querySelectorAll("[data-copy]")) {
    const code = block.querySelector("code");
    const copy = button("Copy", `Copy ${block.dataset.copy}`, async (made) => {
      const done = await copied(code.textContent.trimEnd(), code);
      made.textContent = done ? "Copied" : "Selected";
      said.textContent = done ? `Copied ${block.dataset.copy}` : "Selected: copy it with the keyboard";
      setTimeout(() => {
        made.textContent = "Copy";
        said.textContent = "";
      }, 2000);
    });
    copy.className = "copy";
    block.append(copy);
  }

  const parts = () => [...document.querySelectorAll("main details")];
  const place = document.querySelector("[data-tools]");
  if (place && parts().length > 1) {
    const closed = () => parts().some((part) => !part.open);
    const all = button("Open all", "", () => {
      const open = closed();
      for (const part of parts()) part.open = open;
    });
    addEventListener("toggle", () => (all.textContent = closed() ? "Open all" : "Close all"), true);
    place.append(all);
  }

  // A link to what lies in a closed part opens it.
  const reveal = () => {
    const target = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    for (let part = target; part; part = part.parentElement) if (part.tagName === "DETAILS") part.open = true;
    if (target) target.scrollIntoView();
  };
  addEventListener("hashchange", reveal);
  reveal();

  let closed = [];
  addEventListener("beforeprint", () => {
    closed = parts().filter((part) => !part.open);
    for (const part of closed) part.open = true;
  });
  addEventListener("afterprint", () => {
    for (const part of closed) part.open = false;
  });
})();
