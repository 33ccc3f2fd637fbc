/** A square matrix as rows. */
export type Matrix = readonly (readonly number[])[]

/** Sum of products. */
export function dot(left: readonly number[], right: readonly number[]): number {
  let sum = 0
  for (let index = 0; index < left.length; index++) sum += (left[index] ?? 0) * (right[index] ?? 0)
  return sum
}

/** Matrix times vector. */
export function times(matrix: Matrix, vector: readonly number[]): number[] {
  return matrix.map((row) => dot(row, vector))
}

/** The matrix with `amount` added on its diagonal. */
export function addDiagonal(matrix: Matrix, amount: number): number[][] {
  return matrix.map((row, i) => row.map((value, j) => (i === j ? value + amount : value)))
}

/**
 * Lower triangular L with L L' = matrix.
 *
 * @param matrix - Symmetric.
 * @returns L, or null when the matrix is not positive definite to working precision.
 */
export function cholesky(matrix: Matrix): number[][] | null {
  const size = matrix.length
  const lower = Array.from({ length: size }, () => new Array<number>(size).fill(0))
  for (let i = 0; i < size; i++) {
    for (let j = 0; j <= i; j++) {
      const rowI = lower[i] ?? []
      const rowJ = lower[j] ?? []
      let rest = matrix[i]?.[j] ?? 0
      for (let k = 0; k < j; k++) rest -= (rowI[k] ?? 0) * (rowJ[k] ?? 0)
      if (i === j) {
        if (!(rest > 1e-12 * Math.abs(matrix[i]?.[i] ?? 0))) return null
        rowI[i] = Math.sqrt(rest)
      } else rowI[j] = rest / (rowJ[j] ?? 1)
    }
  }
  return lower
}

/** Solves L x = b. */
export function forward(lower: Matrix, right: readonly number[]): number[] {
  const solution: number[] = []
  for (const [i, row] of lower.entries()) {
    solution.push(((right[i] ?? 0) - dot(row.slice(0, i), solution)) / (row[i] ?? 1))
  }
  return solution
}

/**
 * Solves a symmetric positive definite system.
 *
 * @param lower - Cholesky factor of the matrix.
 * @param right - Right-hand side.
 * @returns Solution.
 */
export function solve(lower: Matrix, right: readonly number[]): number[] {
  const size = lower.length
  const half = forward(lower, right)
  const solution = new Array<number>(size).fill(0)
  for (let i = size - 1; i >= 0; i--) {
    let rest = half[i] ?? 0
    for (let k = i + 1; k < size; k++) rest -= (lower[k]?.[i] ?? 0) * (solution[k] ?? 0)
    solution[i] = rest / (lower[i]?.[i] ?? 1)
  }
  return solution
}

/**
 * Eigenvalues and orthonormal eigenvectors of a symmetric matrix, by cyclic Jacobi rotations.
 *
 * @param matrix - Symmetric.
 * @returns `values[k]` belongs to the vector `vectors[k]`.
 */
export function eigen(matrix: Matrix): { readonly values: number[]; readonly vectors: number[][] } {
  const size = matrix.length
  const work = matrix.map((row) => [...row])
  const vectors: number[][] = matrix.map((_, i) => matrix.map((__, j) => (i === j ? 1 : 0)))
  const at = (i: number, j: number): number => work[i]?.[j] ?? 0
  const set = (i: number, j: number, value: number): void => {
    const row = work[i]
    if (row !== undefined) row[j] = value
  }
  const norm = Math.sqrt(matrix.reduce((sum, row) => sum + dot(row, row), 0))
  for (let sweep = 0; sweep < 60; sweep++) {
    let off = 0
    for (let p = 0; p < size; p++) {
      for (let q = p + 1; q < size; q++) {
        off = Math.max(off, Math.abs(at(p, q)))
        if (Math.abs(at(p, q)) <= 1e-15 * norm) continue
        const ratio = (at(q, q) - at(p, p)) / (2 * at(p, q))
        const tangent = (ratio < 0 ? -1 : 1) / (Math.abs(ratio) + Math.sqrt(ratio * ratio + 1))
        const cosine = 1 / Math.sqrt(tangent * tangent + 1)
        const sine = tangent * cosine
        for (let k = 0; k < size; k++) {
          const [left, right] = [at(k, p), at(k, q)]
          set(k, p, cosine * left - sine * right)
          set(k, q, sine * left + cosine * right)
        }
        for (let k = 0; k < size; k++) {
          const [left, right] = [at(p, k), at(q, k)]
          set(p, k, cosine * left - sine * right)
          set(q, k, sine * left + cosine * right)
        }
        const [first, second] = [vectors[p] ?? [], vectors[q] ?? []]
        for (let k = 0; k < size; k++) {
          const [left, right] = [first[k] ?? 0, second[k] ?? 0]
          first[k] = cosine * left - sine * right
          second[k] = sine * left + cosine * right
        }
      }
    }
    if (off <= 1e-15 * norm) break
  }
  return { values: work.map((row, i) => row[i] ?? 0), vectors }
}

/**
 * The nearest symmetric matrix whose eigenvalues are at least `floor`.
 *
 * @param matrix - Symmetric.
 * @param floor - Positive.
 * @returns Positive definite matrix.
 */
export function raiseEigenvalues(matrix: Matrix, floor: number): number[][] {
  const { values, vectors } = eigen(matrix)
  return matrix.map((_, i) =>
    matrix.map((__, j) =>
      vectors.reduce(
        (sum, vector, k) => sum + Math.max(values[k] ?? 0, floor) * (vector[i] ?? 0) * (vector[j] ?? 0),
        0,
      ),
    ),
  )
}
