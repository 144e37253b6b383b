// Fetches the page every two seconds and takes the figures over, so that what is open, focused or
// scrolled stays so. Says so while the daemon does not answer, and goes on when it does.
(() => {
  const period = 2000, patience = 5000;
  const silence = document.getElementById('silence');
  let last = new Date();
  const show = () => {
    const text = `No answer since ${last.toLocaleTimeString()}: the daemon has stopped or cannot ` +
      'be reached. The figures below are the last ones.';
    if (silence.textContent !== text) silence.textContent = text;
  };
  const look = async () => {
    try {
      const answer = await fetch('/', {cache: 'no-store', signal: AbortSignal.timeout(patience)});
      if (!answer.ok) throw new Error(answer.status);
      const next = new DOMParser().parseFromString(await answer.text(), 'text/html');
      for (const fresh of next.querySelectorAll('[id][data-live]')) {
        const old = document.getElementById(fresh.id);
        if (old && old.innerHTML !== fresh.innerHTML) old.innerHTML = fresh.innerHTML;
      }
      last = new Date();
      silence.textContent = '';
    } catch {
      show();
    }
    setTimeout(look, period);
  };
  setTimeout(look, period);
})();
