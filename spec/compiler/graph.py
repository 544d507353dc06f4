"""Draws a machine as a Mermaid state diagram: an arrow for every pair of states, labelled with the rows behind it."""

from tunnel.spec.model import Machine


def mermaid(machine: Machine) -> str:
    """The diagram as text. Rows that stay where they are and do nothing are left out: they are the silence around it."""
    labels: dict[tuple[str, str], list[str]] = {}
    for row in machine.transitions:
        for state in machine.states_of(row.leaves):
            target = state if row.to == "=" else row.to
            if target != state or row.do:
                labels.setdefault((state, target), []).append(row.id)
    lines = ["stateDiagram-v2", f"    %% {machine.title}", f"    [*] --> {machine.initial}"]
    lines += [f"    {state.name}: {state.name}<br/>{_plain(state.doc)}" for state in machine.states]
    lines += [f"    {source} --> {target}: {', '.join(ids)}" for (source, target), ids in labels.items()]
    lines += [f"    {state.name} --> [*]" for state in machine.states if state.final]
    return "\n".join(lines)


def _plain(text: str) -> str:
    """Mermaid reads `:` and `;` as its own."""
    return text.replace(":", " -").replace(";", ",").replace("`", "")
