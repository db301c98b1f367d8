/*
 * nnpack in C++11: nnp.h and nnp_file.h with objects and exceptions.
 *
 *     nnp::Model model("m.nnpack");
 *     std::vector<float> y = model.predict(x, {2, 6});
 *
 * A model can be moved, not copied. It is used by one thread at a time; threads that share one have a Session each.
 */
#ifndef NNP_HPP
#define NNP_HPP

#include "nnp_file.h"

#include <algorithm>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace nnp {

using Shape = std::vector<std::int32_t>;

/* A fault of a file, of a call, or of the file system: a status of nnp.h. */
class Error : public std::runtime_error {
public:
    explicit Error(nnp_status status, const std::string &at = std::string())
        : std::runtime_error(at.empty() ? nnp_status_code(status) : nnp_status_code(status) + (" at " + at)),
          status_(status), at_(at)
    {
    }
    explicit Error(nnp_status status, const nnp_error &error)
        : std::runtime_error(*error.message != 0 ? error.message : nnp_status_code(status)), status_(status),
          at_(error.at)
    {
    }

    nnp_status status() const noexcept { return status_; }
    const char *code() const noexcept { return nnp_status_code(status_); }
    const std::string &at() const noexcept { return at_; }

private:
    nnp_status status_;
    std::string at_;
};

/* An input, state or output as the model declares it; dimensions below 0 follow in a call. */
struct Value {
    std::string name;
    nnp_dtype dtype;
    Shape shape;
};

/* Elements that belong to somebody else. */
struct View {
    nnp_dtype dtype;
    Shape shape;
    const void *data;
};

/* The dtype of a C++ type. */
template <class T> struct DtypeOf;
template <> struct DtypeOf<float> { static constexpr nnp_dtype value = NNP_FLOAT32; };
template <> struct DtypeOf<double> { static constexpr nnp_dtype value = NNP_FLOAT64; };
template <> struct DtypeOf<std::int8_t> { static constexpr nnp_dtype value = NNP_INT8; };
template <> struct DtypeOf<std::int32_t> { static constexpr nnp_dtype value = NNP_INT32; };
template <> struct DtypeOf<std::int64_t> { static constexpr nnp_dtype value = NNP_INT64; };
template <> struct DtypeOf<std::uint8_t> { static constexpr nnp_dtype value = NNP_UINT8; };
template <> struct DtypeOf<bool> { static constexpr nnp_dtype value = NNP_BOOL; };

/* Elements in C order, with their dtype and shape. */
class Tensor {
public:
    template <class T>
    Tensor(Shape shape, const std::vector<T> &elements) : dtype_(DtypeOf<T>::value), shape_(std::move(shape))
    {
        static_assert(sizeof(bool) == 1, "a bool is a byte");
        bytes_.resize(elements.size() * sizeof(T));
        std::copy(elements.begin(), elements.end(), reinterpret_cast<T *>(bytes_.data()));
        require(elements.size());
    }

    Tensor(Shape shape, std::vector<std::string> texts)
        : dtype_(NNP_STRING), shape_(std::move(shape)), texts_(std::move(texts))
    {
        require(texts_.size());
    }

    explicit Tensor(const View &view) : dtype_(view.dtype), shape_(view.shape)
    {
        const unsigned char *data = static_cast<const unsigned char *>(view.data);
        bytes_.assign(data, data + count() * nnp_dtype_size(dtype_));
    }

    nnp_dtype dtype() const noexcept { return dtype_; }
    const Shape &shape() const noexcept { return shape_; }
    const void *data() const noexcept { return bytes_.data(); }
    const std::vector<std::string> &texts() const noexcept { return texts_; }

    std::size_t count() const noexcept
    {
        std::size_t n = 1;
        for (std::int32_t dim : shape_) n *= static_cast<std::size_t>(dim);
        return n;
    }

    /* The elements; T has to be the type of the dtype. */
    template <class T> std::vector<T> values() const
    {
        if (dtype_ != DtypeOf<T>::value) throw Error(NNP_DTYPE_MISMATCH, nnp_dtype_name(dtype_));
        const T *first = reinterpret_cast<const T *>(bytes_.data());
        return std::vector<T>(first, first + count());
    }

private:
    void require(std::size_t elements) const
    {
        if (count() != elements) throw Error(NNP_SHAPE);
    }

    nnp_dtype dtype_;
    Shape shape_;
    std::vector<unsigned char> bytes_;
    std::vector<std::string> texts_;
};

namespace detail {

inline void require(nnp_status status, const nnp_error &error)
{
    if (status != NNP_OK) throw Error(status, error);
}

/* Memory that is aligned to NNP_ALIGNMENT. */
class Block {
public:
    /* At least so many bytes, which begin with those that were there. */
    void *grow(std::size_t size)
    {
        if (data_ == nullptr || size > size_) {
            if (size > SIZE_MAX - NNP_ALIGNMENT) throw std::bad_alloc();
            std::unique_ptr<unsigned char[]> held(new unsigned char[size + NNP_ALIGNMENT]);
            unsigned char *data = held.get();
            data += NNP_ALIGNMENT - reinterpret_cast<std::uintptr_t>(data) % NNP_ALIGNMENT;
            std::copy(data_, data_ + size_, data);
            held_ = std::move(held);
            data_ = data;
            size_ = size;
        }
        return data_;
    }

    /* At least so many bytes, whatever they hold. */
    void *replace(std::size_t size)
    {
        if (data_ == nullptr || size > size_) {
            held_.reset();
            data_ = nullptr;
            size_ = 0;
        }
        return grow(size);
    }

private:
    std::unique_ptr<unsigned char[]> held_;
    unsigned char *data_ = nullptr;
    std::size_t size_ = 0;
};

/* A file, if any, and the model that was read from it: what models and sessions share. */
struct Loaded {
    nnp_file file = {};
    Block parsed, prepared;
    nnp_model *model = nullptr;

    Loaded() = default;
    Loaded(const Loaded &) = delete;
    Loaded &operator=(const Loaded &) = delete;
    ~Loaded() { nnp_file_close(&file); }

    void open(const void *bytes, std::size_t size, unsigned flags)
    {
        nnp_error error = {};
        std::size_t needed = 0;
        require(nnp_model_size(bytes, size, &needed, &error), error);
        require(nnp_open(&model, bytes, size, flags & NNP_TRUST, parsed.grow(needed), needed, &error), error);
        unsigned layout = flags & NNP_LEAN ? 0U : static_cast<unsigned>(NNP_PACK);
        require(nnp_prepare_size(model, layout, &needed), error);
        require(nnp_prepare(model, layout, prepared.grow(needed), needed, &error), error);
    }
};

inline Value value(const nnp_value &v)
{
    return Value{std::string(v.name.bytes, v.name.length), v.dtype, Shape(v.dims, v.dims + v.rank)};
}

} // namespace detail

class Model;

/* What one thread calls a model with: its memory, and its states. Keeps what it needs of the model. */
class Session {
public:
    explicit Session(const Model &model);

    /*
     * Computes from elements of the machine's byte order, one array for each input, a nnp_text for each string. Takes
     * more memory where shapes are others than before.
     */
    void run(const std::vector<const void *> &inputs, const std::vector<Shape> &shapes)
    {
        const std::size_t count = nnp_input_count(model_->model);
        if (inputs.size() != count || shapes.size() != count) throw Error(NNP_INPUT_COUNT);
        if (shapes != planned_) plan(shapes);
        nnp_error error = {};
        detail::require(nnp_run(workspace_, inputs.data(), &error), error);
    }

    /* An output of the last run, valid until the next. */
    View output(std::size_t i) const
    {
        const std::int32_t *dims = nullptr;
        if (i >= nnp_output_count(model_->model)) throw std::out_of_range("nnp::Session::output");
        const nnp_value declared = nnp_output(model_->model, i);
        const void *data = nnp_result(workspace_, i, &dims);
        return View{declared.dtype, Shape(dims, dims + declared.rank), data};
    }

    std::vector<Tensor> predict(const std::vector<Tensor> &inputs)
    {
        std::vector<std::vector<nnp_text>> texts(inputs.size());
        std::vector<const void *> data;
        std::vector<Shape> shapes;
        for (std::size_t i = 0; i < inputs.size(); i++) {
            const Tensor &input = inputs[i];
            require_dtype(i, input.dtype());
            for (const std::string &t : input.texts()) texts[i].push_back(nnp_text{t.data(), t.size()});
            data.push_back(input.dtype() == NNP_STRING ? texts[i].data() : input.data());
            shapes.push_back(input.shape());
        }
        run(data, shapes);
        std::vector<Tensor> outputs;
        for (std::size_t i = 0; i < nnp_output_count(model_->model); i++) outputs.emplace_back(output(i));
        return outputs;
    }

    /* The first output, of a model of one float32 input. */
    std::vector<float> predict(const std::vector<float> &x, const Shape &shape)
    {
        require_dtype(0, NNP_FLOAT32);
        std::size_t count = 1;
        for (std::int32_t dim : shape) count *= static_cast<std::size_t>(dim);
        if (count != x.size()) throw Error(NNP_SHAPE);
        run({x.data()}, {shape});
        return Tensor(output(0)).values<float>();
    }

    /* The next run begins with the initial states. */
    void reset() noexcept { nnp_reset(workspace_); }

private:
    friend class Model;
    explicit Session(std::shared_ptr<const detail::Loaded> model) : model_(std::move(model))
    {
        workspace_ = nnp_workspace_new(model_->model, working_.grow(nnp_workspace_size(model_->model)));
    }

    void require_dtype(std::size_t i, nnp_dtype dtype) const
    {
        if (i >= nnp_input_count(model_->model)) throw Error(NNP_INPUT_COUNT);
        const Value declared = detail::value(nnp_input(model_->model, i));
        if (declared.dtype != dtype) throw Error(NNP_DTYPE_MISMATCH, declared.name);
    }

    void plan(const std::vector<Shape> &shapes)
    {
        std::vector<const std::int32_t *> dims;
        for (std::size_t i = 0; i < shapes.size(); i++) {
            const nnp_value declared = nnp_input(model_->model, i);
            if (shapes[i].size() != declared.rank) throw Error(NNP_SHAPE, detail::value(declared).name);
            dims.push_back(shapes[i].data());
        }
        nnp_error error = {};
        std::size_t values = 0, states = 0;
        planned_.clear();
        detail::require(nnp_plan(workspace_, dims.data(), &values, &states, &error), error);
        void *memory = values_.replace(values);
        void *kept = states == 0 ? nullptr : states_.grow(states);
        detail::require(nnp_bind(workspace_, memory, values, kept, states, &error), error);
        planned_ = shapes;
    }

    std::shared_ptr<const detail::Loaded> model_;
    detail::Block working_, values_, states_;
    nnp_workspace *workspace_ = nullptr;
    std::vector<Shape> planned_; /* what the workspace is ready for */
};

/* A model with a session of its own. The payload's hash and the self-test are checked, unless NNP_TRUST is given. */
class Model {
public:
    /* flags: 0, or of NNP_TRUST and NNP_LEAN */
    explicit Model(const std::string &path, unsigned flags = 0) : loaded_(std::make_shared<detail::Loaded>())
    {
        nnp_error error = {};
        detail::require(nnp_file_open(path.c_str(), &loaded_->file, &error), error);
        open(loaded_->file.bytes, loaded_->file.size, flags);
    }

    /* The bytes of a file, which have to outlive the model and its sessions. */
    Model(const void *bytes, std::size_t size, unsigned flags = 0) : loaded_(std::make_shared<detail::Loaded>())
    {
        open(bytes, size, flags);
    }

    Model(Model &&) = default;
    Model &operator=(Model &&) = default;
    Model(const Model &) = delete;
    Model &operator=(const Model &) = delete;

    std::string name() const
    {
        const nnp_text name = nnp_model_name(loaded_->model);
        return std::string(name.bytes, name.length);
    }

    std::vector<Value> inputs() const { return values(nnp_input_count(loaded_->model), nnp_input); }
    std::vector<Value> outputs() const { return values(nnp_output_count(loaded_->model), nnp_output); }
    bool has_states() const noexcept { return nnp_state_count(loaded_->model) > 0; }

    std::vector<Tensor> predict(const std::vector<Tensor> &inputs) { return session_->predict(inputs); }
    std::vector<float> predict(const std::vector<float> &x, const Shape &shape)
    {
        return session_->predict(x, shape);
    }
    void reset() noexcept { session_->reset(); }

    /* Runs the self-test of the file; false where it has none. Neither sees nor changes states. */
    bool verify() const
    {
        Session session(loaded_);
        nnp_error error = {};
        std::size_t bytes = 0;
        nnp_status status = nnp_selftest_size(session.workspace_, &bytes, &error);
        if (status == NNP_SELFTEST_ABSENT) return false;
        detail::require(status, error);
        void *memory = session.values_.replace(bytes);
        detail::require(nnp_selftest(session.workspace_, memory, bytes, &error), error);
        return true;
    }

private:
    friend class Session;

    void open(const void *bytes, std::size_t size, unsigned flags)
    {
        loaded_->open(bytes, size, flags);
        if (!(flags & NNP_TRUST)) verify();
        session_.reset(new Session(loaded_));
    }

    std::vector<Value> values(std::size_t count, nnp_value (*at)(const nnp_model *, std::size_t)) const
    {
        std::vector<Value> all;
        for (std::size_t i = 0; i < count; i++) all.push_back(detail::value(at(loaded_->model, i)));
        return all;
    }

    std::shared_ptr<detail::Loaded> loaded_;
    std::unique_ptr<Session> session_;
};

inline Session::Session(const Model &model) : Session(std::shared_ptr<const detail::Loaded>(model.loaded_)) {}

} // namespace nnp

#endif
