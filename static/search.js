// The slider and the number beside it say the same. Delegated, so swapped-in screens work too.
document.addEventListener("input", (event) => {
  const { sets } = event.target.dataset;
  if (sets) document.getElementById(sets).value = event.target.type === "range" ? Number(event.target.value).toFixed(2) : event.target.value;
});
