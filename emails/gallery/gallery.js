// Only a memory: the width and the colours somebody chose stay chosen on the next page, and the list of
// mails stays where it was scrolled to.
const list = document.querySelector(".mails");
for (const name of ["width", "colours"]) {
  const chosen = document.getElementById(sessionStorage.getItem(name));
  if (chosen) chosen.checked = true;
}
list.scrollTop = sessionStorage.getItem("scrolled") || 0;
list.querySelector("[aria-current]").scrollIntoView({ block: "nearest" });
document.addEventListener("change", (event) => sessionStorage.setItem(event.target.name, event.target.id));
addEventListener("pagehide", () => sessionStorage.setItem("scrolled", list.scrollTop));
