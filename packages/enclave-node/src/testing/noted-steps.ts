import type { StepFacts } from '../trace/span.js'
import type { Tracer } from '../trace/tracer.js'

/** @returns a tracer that takes down what it is told, before it does a step */
export function notedSteps(): { readonly trace: Tracer; readonly steps: [string, StepFacts][] } {
  const steps: [string, StepFacts][] = []
  return {
    steps,
    trace: {
      step(name, facts, act) {
        steps.push([name, typeof facts === 'function' ? facts() : facts])
        return act()
      },
    },
  }
}
